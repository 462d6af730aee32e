// Letting a device in, on the side that is in already: as one's own, or as somebody else's into a circle.
import { useState } from 'preact/hooks';
import { Camera } from '../parts/camera';
import { Area, Copy, Field, Form, Notice, Pin, Qr } from '../parts/parts';
import { phone } from '../phone';
import { send, useCall } from '../state';
import { moment, t } from '../texts';

export function LetIn({ circle = '', done }: { circle?: string; done: () => void }) {
  const { value: address } = useCall<{ text: string }>('pair_address');
  const link = address ? `${location.origin}/#${address.text}` : '';
  const { value: qr } = useCall<{ width: number; modules: string }>('qr', { text: link });
  const [code, setCode] = useState('');
  const [digits, setDigits] = useState('');
  const [pin, setPin] = useState('');
  const [accepted, setAccepted] = useState(false);
  const [paired, setPaired] = useState<{ waits_until?: number }>();
  if (paired) return <Notice kind="good" live><strong>{t(circle ? 'let-in-done-guest' : 'devices-paired')}</strong>{paired.waits_until && <p>{t('devices-waits', { time: moment(paired.waits_until) })}</p>}</Notice>;
  const accept = () => phone.call('pair_accept', { code: code.trim() }).then(() => setAccepted(true));
  const confirm = () => phone.call<{ waits_until?: number }>('pair_confirm', { digits: digits.replace(/\s/g, ''), pin, circle }).then((paired) => {
    setPaired(paired);
    done();
    void send();
  }).finally(() => setPin(''));
  return (
    <section aria-label={t(circle ? 'family-invite' : 'devices-add')}>
      <ol class="steps numbered">
        <li>
          <p>{t(circle ? 'let-in-1-guest' : 'let-in-1')}</p>
          {qr && link && <Qr {...qr} label={t('let-in-qr')} />}
          {address && <details class="fold"><summary>{t('let-in-no-camera')}</summary><p>{t(circle ? 'let-in-text-guest' : 'devices-add-1')}</p><Copy text={address.text} /></details>}
        </li>
        <li>
          <p>{t('devices-add-2')}</p>
          {!accepted && <><Camera prefix="BAKEN-PAIR:" take={setCode} /><Form submit={accept} label={t('devices-next')}><Area id="code" label={t('devices-code')} value={code} change={setCode} /></Form></>}
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
