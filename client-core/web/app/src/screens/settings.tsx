// Language, display, PIN, taking everything out, wiping; and what a browser cannot do.
import { useEffect, useState } from 'preact/hooks';
import { Choice, Copy, Form, Notice, Pin, Screen, go } from '../parts/parts';
import { phone } from '../phone';
import { look, looks, setLook } from '../look';
import { locate, refresh, useDevice } from '../state';
import { spoken, t, type Language } from '../texts';
import { download } from './dossier';

export function Settings({ speak }: { speak: (language: Language) => void }) {
  const { state } = useDevice();
  const [theme, setTheme] = useState(look());
  const [place, setPlace] = useState<'allowed' | 'refused'>();
  const [kept, setKept] = useState<boolean>();
  useEffect(() => void navigator.storage?.persisted?.().then(setKept), []);
  return (
    <Screen title={t('settings-title')} back="/">
      <Choice id="language" label={t('settings-language')} value={spoken()} options={[['nl', 'Nederlands'], ['en', 'English']]} change={(to) => speak(to as Language)} />
      <Choice id="theme" label={t('settings-theme')} value={theme} options={looks.map((one) => [one, t(`theme-${one}`)])} change={(to) => { setLook(to); setTheme(to); }} />
      <section aria-labelledby="place">
        <h2 id="place">{t('settings-position')}</h2>
        <p>{t('settings-position-text')}</p>
        {place ? <Notice kind={place === 'allowed' ? 'good' : 'warn'} live>{t(`settings-position-${place}`)}</Notice> : <button type="button" class="button" onClick={() => locate(() => setPlace('refused'), () => setPlace('allowed'))}>{t('settings-position-allow')}</button>}
      </section>
      {kept !== undefined && <section aria-labelledby="keep"><h2 id="keep">{t('settings-keep')}</h2><p>{t(kept ? 'settings-keep-kept' : 'settings-keep-may-go')}</p></section>}
      {state.activated && <ChangePin />}
      {state.unlocked && <Export />}
      <section aria-labelledby="honest"><h2 id="honest">{t('settings-honest')}</h2><ul>{[1, 2, 3].map((n) => <li key={n}>{t(`settings-honest-${n}`)}</li>)}</ul></section>
      {state.unlocked && <Wipe />}
    </Screen>
  );
}

function ChangePin() {
  const [pin, setPin] = useState('');
  const [next, setNext] = useState('');
  const [done, setDone] = useState(false);
  const change = () => phone.call('change_pin', { pin, new_pin: next }).then(() => {
    setDone(true);
    setPin('');
    setNext('');
  });
  return (
    <details class="fold">
      <summary>{t('settings-pin')}</summary>
      <Form submit={change} label={t('settings-pin')} kind="">
        <Pin id="pin-old" label={t('settings-pin-old')} value={pin} change={setPin} />
        <Pin id="pin-new" name="pin-new" label={t('settings-pin-new')} value={next} change={setNext} isNew />
        {done && <Notice kind="good" live>{t('settings-pin-done')}</Notice>}
      </Form>
    </details>
  );
}

function Export() {
  const [pin, setPin] = useState('');
  const [made, setMade] = useState<{ bytes: string; code: string }>();
  const make = () => phone.call<{ bytes: string; code: string }>('export', { pin }).then(setMade).finally(() => setPin(''));
  return (
    <details class="fold">
      <summary>{t('settings-export')}</summary>
      <p>{t('settings-export-text')}</p>
      {made
        ? <><p><strong>{t('settings-export-code')}</strong></p><Copy text={made.code} /><button type="button" class="button primary" onClick={() => download(made.bytes, 'baken-export.baken')}>{t('settings-export-save')}</button></>
        : <Form submit={make} label={t('settings-export-do')} kind=""><Pin id="pin-export" value={pin} change={setPin} /></Form>}
    </details>
  );
}

function Wipe() {
  const wipe = () => phone.call('wipe').then(refresh).then(() => go('/'));
  return <details class="fold"><summary>{t('settings-wipe')}</summary><p>{t('settings-wipe-text')}</p><Form submit={wipe} label={t('settings-wipe-sure')} kind="alarm-link" /></details>;
}
