// The self-scan: first whether there is danger now, then one question at a time, then what to do, the most important first.
import { useState } from 'preact/hooks';
import { ContactRow, type Contact } from '../parts/guidance';
import { Call112, Failure, Notice, Screen, Tile } from '../parts/parts';
import { phone } from '../phone';
import { useCall, useDevice } from '../state';
import { t } from '../texts';
import { Unlock } from './activate';

interface Tip { question: number; tip: string; advice: string }
interface Question { id: number; text: string; theme_name: string; not_applicable: boolean }
interface Scan { gate: string; gate_cards: { id: string; title: string }[]; past_gate: boolean; questions: Question[]; next: number | null; result: { answered: number; first: Tip[]; rest: Tip[] }; closing: string; closing_contact?: Contact }

export function SelfScan() {
  const { state } = useDevice();
  const { value, error, reload } = useCall<Scan>('scan', {}, state.unlocked);
  const [failed, setFailed] = useState<unknown>();
  if (!state.unlocked) return <Unlock title={t('scan-title')} />;
  const send = (name: string, given: object = {}) => phone.call(name, given).then(reload, setFailed);
  const question = value?.questions.find((one) => one.id === value.next);
  return (
    <Screen title={t('scan-title')} back="/">
      <Failure error={error ?? failed} />
      {value && !value.past_gate && (
        <>
          <p class="lead">{value.gate}</p>
          <Call112 />
          <ul class="tiles">{value.gate_cards.map((card) => <Tile key={card.id} to={`/card/${card.id}`} title={card.title} />)}</ul>
          <button type="button" class="button primary" onClick={() => void send('scan_gate')}>{t('scan-gate')}</button>
        </>
      )}
      {value?.past_gate && question && (
        <section aria-labelledby="question">
          <p class="hint" role="status">{t('scan-progress', { at: value.questions.indexOf(question) + 1, of: value.questions.length })} · {question.theme_name}</p>
          <h2 id="question">{question.text}</h2>
          <div class="answers">
            {['yes', 'no', 'unknown', ...(question.not_applicable ? ['not-applicable'] : [])].map((reply) => <button key={reply} type="button" class="button" onClick={() => void send('scan_answer', { question: question.id, reply })}>{t(reply === 'yes' || reply === 'no' ? reply : `scan-${reply}`)}</button>)}
          </div>
        </section>
      )}
      {value?.past_gate && value.result.answered > 0 && (
        <section aria-labelledby="tips">
          <h2 id="tips">{t('scan-result')}</h2>
          {value.result.first.length + value.result.rest.length === 0 && <Notice kind="good">{t('scan-no-tips')}</Notice>}
          <ul class="list">{[...value.result.first, ...value.result.rest].map((tip) => <li key={tip.question} class="tile"><span class="tile-title">{tip.tip}</span><span>{tip.advice}</span></li>)}</ul>
        </section>
      )}
      {value?.past_gate && !question && <><p>{value.closing}</p>{value.closing_contact && <ul class="contacts"><ContactRow contact={value.closing_contact} /></ul>}</>}
      <p class="hint">{t('scan-private')}</p>
    </Screen>
  );
}
