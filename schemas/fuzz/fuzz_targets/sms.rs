//! Fuzzes alarms by text message: the text as it was typed and as its bytes, its context, a bridge's document.
#![no_main]

use baken_schemas::alarm::{SmsAlarm, SmsContext, SmsHandover, SmsText};
use baken_schemas_fuzz::{document, one_form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(typed) = std::str::from_utf8(data) {
        let _ = SmsText::from_text(typed);
    }
    if let Ok(text) = SmsText::from_bytes(data) {
        assert_eq!(text.to_bytes(), data);
        assert_eq!(SmsText::from_text(&text.to_text()).expect("a text of ours"), text);
    }
    document::<SmsAlarm>(data);
    document::<SmsContext>(data);
    one_form::<SmsHandover>(data);
});
