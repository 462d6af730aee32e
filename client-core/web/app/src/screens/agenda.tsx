// What is due, and when: no more of it than that, since a screen is seen by others too.
import { Failure, Screen } from '../parts/parts';
import { useCall, useDevice } from '../state';
import { moment, t } from '../texts';
import { Unlock } from './activate';

interface Item { at: number; title: string; record: string; overdue: boolean }

export function Agenda() {
  const { state } = useDevice();
  const { value, error } = useCall<Item[]>('agenda', {}, state.unlocked);
  if (!state.unlocked) return <Unlock title={t('agenda-title')} />;
  return (
    <Screen title={t('agenda-title')} back="/">
      <Failure error={error} />
      {value?.length === 0 && <p>{t('agenda-none')}</p>}
      <ul class="list">
        {value?.map((item) => <li key={item.record + item.at} class="tile"><span class="tile-title">{item.title}</span><span class={item.overdue ? 'hint warn-text' : 'hint'}>{moment(item.at)}{item.overdue ? `, ${t('agenda-overdue')}` : ''}</span></li>)}
      </ul>
    </Screen>
  );
}
