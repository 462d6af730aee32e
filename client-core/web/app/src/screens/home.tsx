// The first screen: the alarm button and whether the way to help works, then what to do, then the questions people ask.
import { useEffect, useState } from 'preact/hooks';
import { Call112, Notice, Screen, Tile, go } from '../parts/parts';
import { HoldButton } from '../parts/hold';
import { phone } from '../phone';
import { position, locate, refresh, useCall, useDevice, type State } from '../state';
import { failed, moment, t } from '../texts';

/// How old a proof of the way may be and still say that it works: a probe goes out every five minutes.
const PROOF_COUNTS_MS = 11 * 60 * 1000;

export function Home() {
  const { state, known, online } = useDevice();
  const open = state.alarms?.find((alarm) => alarm.state !== 'closed' && alarm.kind !== 'test' && !alarm.withdrawn);
  return (
    <Screen title={t('app-name')}>
      {known && state.organisation && <p class="organisation">{state.organisation}</p>}
      {open && <Notice kind={open.green ? 'good' : 'bad'} live><strong>{t('alarm-open-now')}</strong><p>{open.words}</p><a class="button" href={`#/alarm/${open.alarm}`}>{t('alarm-look')}</a></Notice>}
      <AlarmButton />
      <Way state={state} known={known} online={online} />
      <Attention state={state} />
      <section aria-labelledby="do">
        <h2 id="do">{t('home-do')}</h2>
        <ul class="tiles">
          {['incident', 'check-in', 'dossier', 'agenda', 'scan', 'family', 'devices', 'settings'].map((name) => <Tile key={name} to={`/${name}`} title={t(`do-${name}`)} hint={t(`do-${name}-hint`)} />)}
        </ul>
      </section>
      <Questions />
    </Screen>
  );
}

function AlarmButton() {
  const [pressing, setPressing] = useState(false);
  const [error, setError] = useState<unknown>();
  const press = async () => {
    setPressing(true);
    setError(undefined);
    try {
      const { alarm } = await phone.call<{ alarm: string }>('press', { kind: 'panic', position: position() });
      locate();
      void refresh();
      go(`/alarm/${alarm}`);
    } catch (error) {
      setError(error);
      setPressing(false);
    }
  };
  return (
    <section class="alarm-place" aria-label={t('alarm-button')}>
      <HoldButton fire={() => void press()} />
      {pressing && <Notice kind="warn" live>{t('alarm-pressing')}</Notice>}
      {error !== undefined && <Notice kind="bad" live><p>{failed(error)}</p><Call112 /></Notice>}
    </section>
  );
}

/// No more than a desk's own signed answer proves.
export function Way({ state, known, online }: { state: State; known: boolean; online: boolean }) {
  const [asked, setAsked] = useState(false);
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 15_000);
    return () => clearInterval(timer);
  }, []);
  if (!known || !state.path) return null;
  const { proven, unanswered_since } = state.path;
  const fresh = proven !== undefined && proven !== null && Date.now() - proven.answered_at < PROOF_COUNTS_MS;
  const good = online && fresh && !unanswered_since;
  const said = !online
    ? t('path-offline')
    : good
      ? t('path-good', { desk: proven.desk, time: moment(proven.answered_at) })
      : unanswered_since && Date.now() - unanswered_since > 20_000
        ? t('path-unanswered', { time: moment(unanswered_since) })
        : proven
          ? t('path-old', { time: moment(proven.answered_at) })
          : t('path-never');
  return (
    <section class={`way ${good ? 'good' : 'warn'}`} aria-labelledby="way">
      <div>
        <h2 id="way">{t('path-title')}</h2>
        <p role="status">{said}</p>
        {state.operator_reads_alarms && <p class="warn-text">{t('path-operator')}</p>}
      </div>
      <button type="button" class="button" onClick={() => void phone.call('probe').then(() => setAsked(true))}>{t('path-test')}</button>
      {asked && !good && <p class="hint" role="status">{t('path-testing')}</p>}
    </section>
  );
}

function Attention({ state }: { state: State }) {
  const running = state.check_ins?.some((one) => ['running', 'due', 'not-at-relay'].includes(one.state));
  const { conflicts = 0, pending = 0, stuck_because } = state.status ?? {};
  const items = [
    running && <a href="#/check-in">{t('attention-check-in')}</a>,
    conflicts > 0 && <a href="#/conflicts">{t('attention-conflicts', { count: conflicts })}</a>,
    pending > 0 && <span>{t('attention-pending', { count: pending })}</span>,
    stuck_because && stuck_because.reason !== 'failed' && <span>{t('attention-stuck')}</span>,
  ].filter(Boolean);
  if (items.length === 0) return null;
  return (
    <section class="attention" aria-labelledby="attention">
      <h2 id="attention">{t('home-attention')}</h2>
      <ul>{items.map((item, at) => <li key={at}>{item}</li>)}</ul>
    </section>
  );
}

export function Questions() {
  const { value } = useCall<{ questions: { id: string; question: string }[] }>('guidance');
  return (
    <section aria-labelledby="questions">
      <h2 id="questions">{t('home-questions')}</h2>
      <ul class="questions">
        {value?.questions.map(({ id, question }) => <li key={id}><a href={`#/question/${id}`}>{question}</a></li>)}
      </ul>
    </section>
  );
}
