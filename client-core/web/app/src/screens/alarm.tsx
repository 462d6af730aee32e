// One alarm: no more than verified receipts prove, and 112 all the time.
import { useEffect, useState } from 'preact/hooks';
import { Area, Call112, Failure, Form, Notice, Pin, Screen } from '../parts/parts';
import { phone } from '../phone';
import { locate, position, refresh, useDevice, type Alarm } from '../state';
import { exact, has, t } from '../texts';

const STEPS = ['not-sent', 'stored', 'received', 'seen', 'verified', 'underway', 'closed'];
/// How often the place is sent along while an alarm is open, in milliseconds.
const LOCATE_MS = 10_000;
/// How often the screen looks again, so that "call 112" comes on time.
const LOOK_MS = 1_000;

export function AlarmScreen({ id }: { id: string }) {
  const { state } = useDevice();
  const [alarm, setAlarm] = useState<Alarm>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const look = () => phone.call<Alarm>('alarm', { alarm: id }).then(setAlarm, setError);
    void look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [id, state]);
  const over = alarm?.state === 'closed';
  const [located, setLocated] = useState(position() !== undefined);
  useEffect(() => {
    if (!alarm || over) return;
    locate(undefined, () => setLocated(true));
    const send = () => {
      const at = position();
      if (at) void phone.call('locate_alarm', { alarm: id, position: at }).catch(() => undefined);
    };
    send();
    const timer = setInterval(send, LOCATE_MS);
    return () => clearInterval(timer);
  }, [alarm !== undefined, over, located, id]);
  if (!alarm) return <Screen title={t('alarm-title')} back="/"><Failure error={error} /><Call112 why /></Screen>;
  const name = alarm.held_by?.officer ?? alarm.held_by?.by.name;
  return (
    <Screen title={t('alarm-title')} back="/">
      <div class={`alarm-state ${alarm.green ? 'green' : 'amber'}`} role="status" aria-live="assertive">
        <p class="alarm-words">{alarm.green && name && alarm.state !== 'closed' ? t('alarm-has-it', { name }) : alarm.words}</p>
        {alarm.green && name && alarm.state !== 'closed' ? <p>{alarm.words}</p> : null}
        {!alarm.green && <p>{alarm.state === 'not-sent' ? t('alarm-not-sent') : t('alarm-nobody-yet')}</p>}
      </div>
      {alarm.call_112 && <Notice kind="bad" live><strong>{t('alarm-nobody')}</strong></Notice>}
      {!over && <Call112 why={!alarm.green} />}
      {alarm.warnings.map((warning) => <Notice key={warning.what} kind="bad">{t(`alarm-warning-${warning.what}`)}</Notice>)}
      <Steps alarm={alarm} />
      {over ? <Notice kind="good">{t('alarm-closed')}</Notice> : (
        <>
          <p class="hint">{t(located ? 'alarm-place-on' : 'alarm-place-off')}</p>
          <Say id={id} />
          {alarm.withdrawn ? <Notice>{t('alarm-withdrawn')}</Notice> : <Withdraw id={id} />}
        </>
      )}
    </Screen>
  );
}

function Steps({ alarm }: { alarm: Alarm }) {
  const last = new Map(alarm.receipts.map((receipt) => [receipt.state, receipt]));
  const beside = ['exhausted', 'reopened'].filter((state) => last.has(state));
  return (
    <section aria-labelledby="steps">
      <h2 id="steps">{t('alarm-steps')}</h2>
      <ol class="steps">
        {[...STEPS.slice(0, 3), ...beside, ...STEPS.slice(3)].map((state) => {
          const receipt = last.get(state);
          const isPressed = state === 'not-sent';
          const done = isPressed || receipt !== undefined;
          return (
            <li key={state} class={done ? 'done' : 'open'} data-state={state}>
              <span class="step-name">{isPressed ? t('alarm-at', { time: exact(alarm.pressed_at) }) : t(`state-${state}`)}</span>
              {receipt && <span class="step-by">{exact(receipt.at)} {receipt.officer ?? receipt.by.name ?? t('alarm-by-relay')}{receipt.text ? `: ${receipt.text}` : ''}</span>}
              {!done && <span class="step-by">{t('alarm-step-open')}</span>}
            </li>
          );
        })}
      </ol>
      {alarm.kind === 'test' && has('alarm-kind-test') && <p class="hint">{t('alarm-kind-test')}</p>}
    </section>
  );
}

function Say({ id }: { id: string }) {
  const [text, setText] = useState('');
  const [said, setSaid] = useState(false);
  const send = async () => {
    if (!text.trim()) return;
    await phone.call('locate_alarm', { alarm: id, text, position: position() });
    setText('');
    setSaid(true);
  };
  return (
    <Form submit={send} label={t('alarm-say-send')} kind="">
      <Area id="say" label={t('alarm-say')} value={text} change={setText} rows={2} />
      {said && <Notice kind="good" live>{t('alarm-said')}</Notice>}
    </Form>
  );
}

function Withdraw({ id }: { id: string }) {
  const [pin, setPin] = useState('');
  const withdraw = () => phone.call('withdraw', { alarm: id, pin }).then(refresh).finally(() => setPin(''));
  return (
    <details class="fold">
      <summary>{t('alarm-withdraw')}</summary>
      <p>{t('alarm-withdraw-text')}</p>
      <Form submit={withdraw} label={t('alarm-withdraw')} kind="">
        <Pin value={pin} change={setPin} />
      </Form>
    </details>
  );
}
