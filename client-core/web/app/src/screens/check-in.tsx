// Check-ins: start one, settle it, see what the relay has confirmed of it.
import { useState } from 'preact/hooks';
import { Area, Choice, Form, Notice, Pin, Screen } from '../parts/parts';
import { phone } from '../phone';
import { position, refresh, useDevice, type CheckIn } from '../state';
import { moment, t } from '../texts';

const MINUTES = [15, 30, 45, 60, 120, 240, 480];
const EXTENSION_MS = 30 * 60 * 1000;

export function CheckIns() {
  const { state } = useDevice();
  const open = (state.check_ins ?? []).filter((one) => !['settled', 'raised'].includes(one.state));
  const over = (state.check_ins ?? []).filter((one) => one.state === 'raised').slice(0, 3);
  return (
    <Screen title={t('check-in-title')} back="/">
      <p class="lead">{t('check-in-text')}</p>
      {open.map((one) => <Running key={one.check_in} one={one} />)}
      {over.map((one) => <Notice key={one.check_in} kind="bad">{t('check-in-state-raised')} {one.alarm && <a href={`#/alarm/${one.alarm}`}>{t('alarm-look')}</a>}</Notice>)}
      {open.every((one) => one.state === 'settling') && <Start />}
    </Screen>
  );
}

function Start() {
  const [minutes, setMinutes] = useState('45');
  const [text, setText] = useState('');
  const [pin, setPin] = useState('');
  const start = () => {
    const due_at = Date.now() + Number(minutes) * 60_000;
    return phone.call('start_check_in', { pin, due_at, text, grace_s: 300, position: position() }).then(refresh).finally(() => setPin(''));
  };
  const lasts = (count: number): [string, string] => [String(count), count < 60 ? t('check-in-minutes', { count }) : t('check-in-hours', { count: count / 60 })];
  return (
    <Form submit={start} label={t('check-in-start')}>
      <Choice id="minutes" label={t('check-in-for')} value={minutes} options={MINUTES.map(lasts)} change={setMinutes} />
      <Area id="where" label={t('check-in-where')} hint={t('check-in-where-hint')} value={text} change={setText} />
      <Pin value={pin} change={setPin} />
    </Form>
  );
}

function Running({ one }: { one: CheckIn }) {
  const [pin, setPin] = useState('');
  const given = { alarm: one.check_in, pin };
  const settle = () => phone.call('settle_check_in', given).then(refresh).finally(() => setPin(''));
  const extend = () => phone.call('extend_check_in', { ...given, due_at: one.due_at + EXTENSION_MS }).then(refresh).finally(() => setPin(''));
  return (
    <section class="running" aria-label={t('check-in-title')} data-state={one.state}>
      <p class="alarm-words">{t('check-in-due', { time: moment(one.due_at) })}</p>
      <p role="status">{t(`check-in-state-${one.state}`)}</p>
      <p class="hint">{t('check-in-raise', { time: moment(one.raise_at) })}</p>
      {one.state !== 'settling' && (
        <>
          <Form submit={settle} label={t('check-in-settle')}><Pin value={pin} change={setPin} /></Form>
          <Form submit={extend} label={t('check-in-extend')} kind="" />
        </>
      )}
    </section>
  );
}
