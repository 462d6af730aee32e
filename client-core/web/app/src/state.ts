// What the page knows of the device, asked again whenever the core says that something has changed.
import { useEffect, useState } from 'preact/hooks';
import { phone, type Standing } from './phone';

export interface Receipt { state: string; at: number; officer?: string; text?: string; words: string; by: { role: string; name?: string } }
export interface Alarm {
  alarm: string; kind: string; pressed_at: number; state: string; words: string; green: boolean; call_112: boolean;
  proof?: Receipt; held_by?: Receipt; receipts: Receipt[]; warnings: { what: string }[]; updates_waiting: number;
  withdrawn?: { handed_in: boolean };
}
/// An alarm of somebody else, on the device of family who are called.
export interface Incoming {
  alarm: string; caller?: string; proven: boolean; kind?: string; arrived_at: number; fix?: { at: { latitude_e7: number; longitude_e7: number; accuracy_m: number } } | { absent: string };
  fix_age_s?: number; battery_percent?: number; texts: string[]; said: { at: number; words: string }[];
  acknowledged_at?: number; acknowledgement_handed_in: boolean; escalated?: { handed_in: boolean; refused?: string }; closed: boolean; call_112: boolean;
}
export interface CheckIn { check_in: string; state: string; due_at: number; raise_at: number; text: string; alarm?: string }
export interface State {
  activated: boolean; unlocked: boolean; set_up?: boolean; organisation?: string; name?: string;
  operator_reads_alarms?: boolean;
  path?: { proven?: { desk: string; answered_at: number }; unanswered_since?: number };
  tests?: { last_success?: number; is_due: boolean };
  /// This is the device of somebody else's family.
  guest?: boolean; responds_as?: string; incoming?: Incoming[];
  alarms?: Alarm[]; check_ins?: CheckIn[];
  status?: { pending: number; conflicts: number; stuck_because?: { reason: string }; last_success?: number };
}

/// Said once by an earlier visit, so that the alarm button is there before the core has started.
const WAS_ACTIVATED = 'baken-activated';
let state: State = { activated: localStorage.getItem(WAS_ACTIVATED) === 'yes', unlocked: false };
let known = false;
const watching = new Set<() => void>();

export async function refresh() {
  try {
    state = await phone.call<State>('state');
    known = true;
    localStorage.setItem(WAS_ACTIVATED, state.activated ? 'yes' : 'no');
  } catch {
    // The next piece of news asks again.
  }
  watching.forEach((look) => look());
}

phone.listen((news) => {
  if (news === 'standing') watching.forEach((look) => look());
  if (news !== 'standing' || phone.standing() === 'ready') void refresh();
});

function useAgain() {
  const [, again] = useState(0);
  useEffect(() => {
    const look = () => again((n) => n + 1);
    watching.add(look);
    return () => void watching.delete(look);
  }, []);
}

/// Sends what was changed; without a network it goes later.
export const send = () => phone.call('sync').catch(() => undefined);

export function useDevice(): { state: State; known: boolean; standing: Standing; online: boolean } {
  useAgain();
  return { state, known, standing: phone.standing(), online: navigator.onLine };
}
['online', 'offline'].forEach((event) => window.addEventListener(event, () => watching.forEach((look) => look())));

/// Asks the core for what a screen shows, again at news.
export function useCall<T>(name: string, given: object = {}, again: unknown = 0): { value?: T; error?: unknown; reload: () => void } {
  const [answer, setAnswer] = useState<{ value?: T; error?: unknown }>({});
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(given);
  useEffect(() => {
    let gone = false;
    const ask = () => phone.call<T>(name, JSON.parse(key) as object).then(
      (value) => gone || setAnswer({ value }),
      (error: unknown) => gone || setAnswer({ error }),
    );
    void ask();
    const stop = phone.listen((news) => news === 'records' && void ask());
    return () => {
      gone = true;
      stop();
    };
  }, [name, key, again, turn]);
  return { ...answer, reload: () => setTurn((n) => n + 1) };
}

export interface Position { latitude: number; longitude: number; accuracy_m: number; age_s: number }
let seen: GeolocationPosition | undefined;
let watch: number | undefined;
/// Looks where this device is, from now on.
export function locate(refused?: () => void, found?: () => void) {
  if (watch !== undefined || !('geolocation' in navigator)) return refused?.();
  watch = navigator.geolocation.watchPosition(
    (at) => {
      seen = at;
      found?.();
    },
    () => {
      if (watch !== undefined) navigator.geolocation.clearWatch(watch);
      watch = undefined;
      refused?.();
    },
    { enableHighAccuracy: true, maximumAge: 60_000 },
  );
}
/// Where it was seen last, with its age; nothing after an hour.
export function position(): Position | undefined {
  if (!seen) return undefined;
  const age_s = Math.round((Date.now() - seen.timestamp) / 1000);
  const { latitude, longitude, accuracy } = seen.coords;
  return age_s > 3600 ? undefined : { latitude, longitude, accuracy_m: Math.ceil(accuracy), age_s: Math.max(age_s, 0) };
}
