// The app: which screen an address shows, the bar below, and the start of everything.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { look, setLook } from './look';
import { Call112, PhoneSign, Screen } from './parts/parts';
import { own, phone } from './phone';
import { Agenda } from './screens/agenda';
import { Activate, Unlock, Welcome, takeInvite } from './screens/activate';
import { AlarmScreen } from './screens/alarm';
import { CheckIns } from './screens/check-in';
import { Devices, Pair, takeAddress } from './screens/devices';
import { Conflicts, Dossier, Incident, Kind, OneRecord } from './screens/dossier';
import { Family } from './screens/family';
import { FamilyHome, FamilyPageScreen } from './screens/family-page';
import { CardScreen, ChapterScreen, Contacts, Guidance, QuestionScreen } from './screens/guidance';
import { Home } from './screens/home';
import { IncomingScreen } from './screens/incoming';
import { SelfScan } from './screens/scan';
import { Settings } from './screens/settings';
import { useRing } from './parts/ring';
import { refresh, useDevice } from './state';
import { speak, t, type Language } from './texts';
import './style.css';

const LANGUAGE = 'baken-language';

function Elsewhere() {
  return <Screen title={t('elsewhere-title')}><p class="lead">{t('elsewhere-text')}</p><button type="button" class="button primary wide" onClick={() => void phone.take()}>{t('elsewhere-take')}</button><Call112 why /></Screen>;
}

function Route({ hash, say }: { hash: string; say: (language: Language) => void }) {
  const { state, standing, known } = useDevice();
  const [, name = '', first = '', second = '', third = ''] = hash.replace(/^#/, '').split('/');
  if (standing === 'elsewhere') return <Elsewhere />;
  if (standing.startsWith('unsupported')) return <Screen title={t('unsupported-title')}><p class="lead">{t('unsupported-text')}</p><Call112 why /><p class="hint">{t('unsupported-said', { text: standing.slice(13) })}</p></Screen>;
  switch (name) {
    case 'contacts': return <Contacts />;
    case 'guidance': return <Guidance />;
    case 'question': return <QuestionScreen id={first} />;
    case 'chapter': return <ChapterScreen id={first} />;
    case 'card': return <CardScreen id={first} />;
    case 'settings': return <Settings speak={say} />;
    case 'activate': return <Activate />;
    case 'pair': return <Pair />;
  }
  if (!state.activated) return known ? <Welcome /> : <Screen title={t('app-name')}><p role="status">{t('starting')}</p><Call112 why /></Screen>;
  if (state.guest) return name === 'incoming' ? <IncomingScreen id={first} /> : <FamilyHome />;
  switch (name) {
    case 'alarm': return <AlarmScreen id={first} />;
    case 'check-in': return <CheckIns />;
    case 'incident': return <Incident />;
    case 'dossier': return first ? <Kind kind={first} /> : <Dossier />;
    case 'record': return <OneRecord kind={first} id={second} circle={third} />;
    case 'family': return <Family />;
    case 'family-page': return <FamilyPageScreen />;
    case 'agenda': return <Agenda />;
    case 'scan': return <SelfScan />;
    case 'conflicts': return <Conflicts />;
    case 'devices': return <Devices />;
    case 'unlock': return <Unlock />;
  }
  return <Home />;
}

function App() {
  const [hash, setHash] = useState(window.location.hash);
  const [, again] = useState(0);
  useEffect(() => {
    const look = () => {
      if (takeInvite(window.location.hash) || takeAddress(window.location.hash)) again((n) => n + 1);
      setHash(window.location.hash);
    };
    window.addEventListener('hashchange', look);
    // It may have changed between the first picture and now.
    look();
    return () => window.removeEventListener('hashchange', look);
  }, []);
  const { state } = useDevice();
  useRing(state.incoming);
  const say = (language: Language) => {
    localStorage.setItem(LANGUAGE, language);
    speak(language);
    void refresh();
    again((n) => n + 1);
  };
  const at = hash.split('/')[1] ?? '';
  const item = (to: string, name: string) => <a href={`#/${to}`} aria-current={at === to ? 'page' : undefined}>{t(name)}</a>;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector<HTMLElement>('h1')?.focus(); }}>{t('skip')}</a>
      <Route key={hash + document.documentElement.lang} hash={hash} say={say} />
      <nav class="bar" aria-label={t('nav')}>
        {item('', 'nav-home')}{item('contacts', 'nav-contacts')}
        <a class="bar-112" href="tel:112"><PhoneSign /> {t('call-112')}</a>
        {item('guidance', 'nav-guidance')}{state.guest ? item('settings', 'nav-settings') : item('dossier', 'nav-dossier')}
      </nav>
    </>
  );
}

const stored = localStorage.getItem(LANGUAGE);
speak(stored === 'nl' || stored === 'en' ? stored : navigator.language.startsWith('en') ? 'en' : 'nl');
setLook(look());
void (takeInvite(window.location.hash) || takeAddress(window.location.hash));
render(<App />, document.getElementById('app')!);
void phone.take();
// Newer guidance, where there is any; without it, what is here is read.
void phone.call('update_guidance').catch(() => undefined);
void navigator.serviceWorker?.register(own('/sw.js'));
