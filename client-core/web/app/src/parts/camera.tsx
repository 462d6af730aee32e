// Reads a QR code with the camera: by the browser where it can, by a small decoder otherwise, which is fetched only then.
// The pictures stay in this page. Whoever has no camera, or refuses it, pastes the text.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Notice } from './parts';
import { t } from '../texts';

/// Between two looks at the picture, in milliseconds.
const LOOK_MS = 200;
/// The longest side of the picture that the decoder is given.
const MAX_SIDE = 800;

type Read = (video: HTMLVideoElement) => Promise<string | undefined>;
declare class BarcodeDetector {
  static getSupportedFormats(): Promise<string[]>;
  constructor(of: { formats: string[] });
  detect(of: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

async function reader(): Promise<Read> {
  if ('BarcodeDetector' in window && (await BarcodeDetector.getSupportedFormats()).includes('qr_code')) {
    const detector = new BarcodeDetector({ formats: ['qr_code'] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  const { default: decode } = await import('qr/decode.js');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  return async (video) => {
    const scale = Math.min(1, MAX_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decode(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      // No code in this picture.
      return undefined;
    }
  };
}

/// A button that opens the camera; `take` is given the first code that holds what begins with `prefix`.
export function Camera({ prefix, take }: { prefix: string; take: (text: string) => void }) {
  const [open, setOpen] = useState(false);
  const [trouble, setTrouble] = useState<'refused' | 'other'>();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (!open) return;
    let gone = false;
    let stream: MediaStream | undefined;
    const look = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
      const read = await reader();
      if (gone || !video.current) return;
      video.current.srcObject = stream;
      await video.current.play();
      while (!gone) {
        const text = video.current.videoWidth > 0 ? await read(video.current) : undefined;
        const found = text && new RegExp(`${prefix}[^\\s&#]+`).exec(text)?.[0];
        if (found) {
          navigator.vibrate?.(100);
          setOpen(false);
          take(found);
          return;
        }
        setTrouble(text ? 'other' : undefined);
        await new Promise((wait) => setTimeout(wait, LOOK_MS));
      }
    };
    look().catch(() => {
      if (gone) return;
      setTrouble('refused');
      setOpen(false);
    }).finally(() => stream?.getTracks().forEach((track) => track.stop()));
    return () => {
      gone = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, [open]);
  if (!navigator.mediaDevices) return null;
  return (
    <div class="camera">
      {open && <video ref={video} muted playsInline aria-label={t('camera-picture')} />}
      {open && <p class="hint" role="status">{t(trouble === 'other' ? 'camera-other' : 'camera-aim')}</p>}
      {trouble === 'refused' && <Notice kind="warn" live>{t('camera-refused')}</Notice>}
      <button type="button" class="button" onClick={() => { setTrouble(undefined); setOpen(!open); }}>{t(open ? 'camera-close' : 'camera-open')}</button>
    </div>
  );
}
