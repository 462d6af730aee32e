// An alarm of somebody else, on the device of family who are called: who, where, who else knows, and 112 all the time.
// It needs no PIN.
import { useEffect, useState } from 'preact/hooks';
import { Area, Call112, Failure, Form, Notice, Screen } from '../parts/parts';
import { phone } from '../phone';
import { refresh, useDevice, type Incoming } from '../state';
import { exact, t } from '../texts';

/// How often the screen looks again, in milliseconds.
const LOOK_MS = 1_000;

export function IncomingScreen({ id }: { id: string }) {
  const { state } = useDevice();
  const [alarm, setAlarm] = useState<Incoming>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const look = () => phone.call<Incoming>('incoming', { alarm: id }).then(setAlarm, setError);
    void look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [id, state]);
  if (!alarm) return <Screen title={t('incoming-title')} back="/"><Failure error={error} /><Call112 why /></Screen>;
  const name = alarm.caller ?? t('incoming-unknown');
  const seen = alarm.acknowledged_at !== undefined && alarm.acknowledged_at !== null;
  return (
    <Screen title={t('incoming-from', { name })} back="/">
      <div class={`alarm-state ${alarm.closed ? 'green' : 'amber'}`} role="status">
        <p class="alarm-words">{t(alarm.closed ? 'incoming-closed' : seen ? (alarm.acknowledgement_handed_in ? 'incoming-you-saw' : 'incoming-you-saw-waits') : 'incoming-not-seen')}</p>
        {alarm.kind === 'test' && <p>{t('incoming-test')}</p>}
      </div>
      {!alarm.closed && !seen && <Form submit={() => phone.call('acknowledge', { alarm: id }).then(refresh)} label={t('incoming-see')} kind="primary wide" />}
      {alarm.call_112 && <Call112 why />}
      {!alarm.proven && <Notice kind="warn">{t('incoming-not-proven')}</Notice>}
      <Where alarm={alarm} />
      {alarm.texts.length > 0 && <section aria-labelledby="words"><h2 id="words">{t('incoming-words', { name })}</h2>{alarm.texts.map((text, at) => <blockquote key={at}>{text}</blockquote>)}</section>}
      <section aria-labelledby="said">
        <h2 id="said">{t('incoming-others')}</h2>
        {alarm.said.length === 0 ? <p class="hint">{t('incoming-nobody-yet')}</p> : <ul class="steps">{alarm.said.map((one, at) => <li key={at} class="done"><span class="step-name">{one.words}</span><span class="step-by">{exact(one.at)}</span></li>)}</ul>}
      </section>
      {!alarm.closed && <SendOn id={id} alarm={alarm} />}
    </Screen>
  );
}

function Where({ alarm }: { alarm: Incoming }) {
  const at = typeof alarm.fix === 'object' && alarm.fix !== null && 'at' in alarm.fix ? alarm.fix.at : undefined;
  const degrees = (e7: number) => (e7 / 1e7).toFixed(5);
  return (
    <section aria-labelledby="where">
      <h2 id="where">{t('incoming-where')}</h2>
      {at ? (
        <>
          <p><output class="code">{degrees(at.latitude_e7)}, {degrees(at.longitude_e7)}</output></p>
          <p class="hint">{t('incoming-accuracy', { metres: at.accuracy_m, seconds: alarm.fix_age_s ?? 0 })}</p>
          <a class="button" href={`geo:${degrees(at.latitude_e7)},${degrees(at.longitude_e7)}`}>{t('incoming-map')}</a>
        </>
      ) : <p>{t('incoming-no-place')}</p>}
      {typeof alarm.battery_percent === 'number' && <p class="hint">{t('incoming-battery', { percent: alarm.battery_percent })}</p>}
    </section>
  );
}

/// To whoever stands higher: for who cannot do it alone, which needs no reason.
function SendOn({ id, alarm }: { id: string; alarm: Incoming }) {
  const [text, setText] = useState('');
  const { escalated } = alarm;
  if (escalated) {
    const how = escalated.refused === 'top_of_ladder' ? 'top' : escalated.handed_in ? 'done' : 'waits';
    return <Notice kind="warn" live>{t(`incoming-sent-on-${how}`)}</Notice>;
  }
  return (
    <section class="running" aria-labelledby="send-on">
      <h2 id="send-on">{t('incoming-send-on')}</h2>
      <p>{t('incoming-send-on-text')}</p>
      <Form submit={() => phone.call('escalate', { alarm: id, text }).then(refresh)} label={t('incoming-send-on-do')} kind=""><Area id="send-on-text-field" label={t('incoming-send-on-words')} value={text} change={setText} rows={2} /></Form>
    </section>
  );
}
