// From an invite to a device of one's own, and opening it.
import { useState } from 'preact/hooks';
import { Camera } from '../parts/camera';
import { Area, Call112, Field, Form, Notice, Pin, Screen, go } from '../parts/parts';
import { phone, type PhoneError } from '../phone';
import { refresh, useDevice } from '../state';
import { t } from '../texts';
import { Questions } from './home';

export function Welcome() {
  return (
    <Screen title={t('welcome-title')}>
      <p class="lead">{t('welcome-text')}</p>
      <a class="button primary wide" href="#/activate">{t('welcome-activate')}</a>
      <a class="button wide" href="#/pair">{t('welcome-family')}</a>
      <a class="button wide" href="#/pair">{t('welcome-pair')}</a>
      <a class="button quiet wide" href="#/guidance">{t('welcome-guidance')}</a>
      <Call112 why />
      <Questions />
    </Screen>
  );
}

/// An address as a person would read it.
export function plain(hash: string): string {
  try {
    return decodeURIComponent(hash);
  } catch {
    // No address of ours: it is looked through as it stands.
    return hash;
  }
}

/// The invite that came with the link, taken out of the address at once: it is good for one device.
let fromLink = '';
export function takeInvite(hash: string): boolean {
  const found = /BAKEN-INVITE:[^\s&#]+/.exec(plain(hash));
  if (!found) return false;
  fromLink = found[0];
  history.replaceState(null, '', '#/activate');
  return true;
}

export function Activate() {
  const [invite, setInvite] = useState(fromLink);
  const [name, setName] = useState(t('activate-name-default'));
  const [pin, setPin] = useState('');
  const [again, setAgain] = useState('');
  const [differ, setDiffer] = useState(false);
  const activate = async () => {
    setDiffer(pin !== again);
    if (pin !== again) return;
    await phone.call('activate', { invite: invite.trim(), pin, name });
    await refresh();
    void navigator.storage?.persist?.();
    go('/');
  };
  return (
    <Screen title={t('activate-title')} back="/">
      {!invite && <Camera prefix="BAKEN-INVITE:" take={setInvite} />}
      <Form submit={activate} label={t('activate-do')} busy={t('activate-working')}>
        <Area id="invite" label={t('activate-invite')} hint={t('activate-invite-hint')} value={invite} change={setInvite} />
        <Field id="name" label={t('activate-name')} value={name} change={setName} required maxLength={60} />
        <Pin id="pin" label={t('activate-pin')} hint={t('activate-pin-hint')} value={pin} change={setPin} isNew />
        <Pin id="pin-again" name="pin-again" label={t('activate-pin-again')} value={again} change={setAgain} isNew />
        {differ && <Notice kind="bad" live>{t('pins-differ')}</Notice>}
      </Form>
    </Screen>
  );
}

/// What stands in the place of a screen that needs the vault open.
export function Unlock({ title }: { title?: string }) {
  return <Screen title={title ?? t('unlock-title')} back="/"><UnlockForm hint={t('unlock-text')} /></Screen>;
}

export function UnlockForm({ hint }: { hint: string }) {
  const [pin, setPin] = useState('');
  const { standing } = useDevice();
  const unlock = () => phone.call('unlock', { pin }).then(refresh, (error: PhoneError) => {
    setPin('');
    throw error;
  });
  return (
    <>
      <Form submit={unlock} label={t('unlock')}><Pin value={pin} change={setPin} hint={hint} /></Form>
      {standing === 'starting' && <p role="status">{t('starting')}</p>}
    </>
  );
}
