// The devices of this person, and letting another in: both sides.
import { useEffect, useState } from 'preact/hooks';
import { Area, Copy, Failure, Field, Form, Notice, Pin, Qr, Screen, go } from '../parts/parts';
import { phone } from '../phone';
import { refresh, useCall, useDevice } from '../state';
import { moment, t } from '../texts';
import { Unlock } from './activate';

interface Device { device: string; name?: string; this: boolean }

export function Devices() {
  const { state } = useDevice();
  const [adding, setAdding] = useState(false);
  const { value, error, reload } = useCall<{ devices: Device[] }>('devices', {}, state.unlocked);
  if (!state.unlocked) return <Unlock title={t('devices-title')} />;
  return (
    <Screen title={t('devices-title')} back="/">
      <Failure error={error} />
      <ul class="list">{value?.devices.map((one) => <li key={one.device} class="tile"><span class="tile-title">{one.name ?? t('devices-unnamed')}</span>{one.this && <span class="hint">{t('devices-this')}</span>}</li>)}</ul>
      {adding ? <LetIn done={reload} /> : <button type="button" class="button primary" onClick={() => setAdding(true)}>{t('devices-add')}</button>}
    </Screen>
  );
}

function LetIn({ done }: { done: () => void }) {
  const { value: address } = useCall<{ text: string }>('pair_address');
  const [code, setCode] = useState('');
  const [digits, setDigits] = useState('');
  const [pin, setPin] = useState('');
  const [accepted, setAccepted] = useState(false);
  const [paired, setPaired] = useState<{ waits_until?: number }>();
  if (paired) return <Notice kind="good" live><strong>{t('devices-paired')}</strong>{paired.waits_until && <p>{t('devices-waits', { time: moment(paired.waits_until) })}</p>}</Notice>;
  const accept = () => phone.call('pair_accept', { code: code.trim() }).then(() => setAccepted(true));
  const confirm = () => phone.call<{ waits_until?: number }>('pair_confirm', { digits, pin }).then((paired) => {
    setPaired(paired);
    done();
  });
  return (
    <section aria-label={t('devices-add')}>
      <ol class="steps plain">
        <li><p>{t('devices-add-1')}</p>{address && <Copy text={address.text} />}</li>
        <li>
          <p>{t('devices-add-2')}</p>
          {!accepted && <Form submit={accept} label={t('devices-next')}><Area id="code" label={t('devices-code')} value={code} change={setCode} /></Form>}
        </li>
        {accepted && (
          <li>
            <p>{t('devices-add-3')}</p>
            <Form submit={confirm} label={t('devices-let-in')}>
              <Field id="digits" label={t('devices-digits')} value={digits} change={setDigits} inputMode="numeric" autocomplete="off" required />
              <Pin value={pin} change={setPin} />
            </Form>
          </li>
        )}
      </ol>
    </section>
  );
}

export function Pair() {
  const [relay, setRelay] = useState('');
  const [name, setName] = useState(t('activate-name-default'));
  const [pin, setPin] = useState('');
  const [code, setCode] = useState<string>();
  const [digits, setDigits] = useState<string>();
  const [error, setError] = useState<unknown>();
  const begin = () => phone.call<{ code: string }>('pair_start', { relay: relay.trim(), pin, name }).then(({ code }) => setCode(code));
  useEffect(() => {
    if (!code) return;
    const join = async () => {
      setDigits((await phone.call<{ digits: string }>('pair_wait')).digits);
      await phone.call('pair_join');
      void navigator.storage?.persist?.();
      await refresh();
      void phone.call('sync').catch(() => undefined);
      go('/');
    };
    join().catch((error: unknown) => {
      setError(error);
      setCode(undefined);
      setDigits(undefined);
    });
  }, [code]);
  const qr = useCall<{ width: number; modules: string }>('qr', { text: code ?? '' });
  return (
    <Screen title={t('pair-title')} back="/">
      <Failure error={error} />
      {digits ? (
        <Notice kind="good" live><p>{t('pair-digits')}</p><output class="digits">{digits}</output></Notice>
      ) : code ? (
        <section aria-label={t('pair-show')}><h2>{t('pair-show')}</h2><p class="hint">{t('pair-show-hint')}</p>{qr.value && <Qr {...qr.value} label={t('pair-show')} />}<Copy text={code} /></section>
      ) : (
        <Form submit={begin} label={t('devices-next')}>
          <Area id="relay" label={t('pair-relay')} hint={t('pair-relay-hint')} value={relay} change={setRelay} />
          <Field id="name" label={t('activate-name')} value={name} change={setName} required maxLength={60} />
          <Pin label={t('activate-pin')} hint={t('activate-pin-hint')} value={pin} change={setPin} isNew />
        </Form>
      )}
    </Screen>
  );
}
