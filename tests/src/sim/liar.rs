//! A relay that overstates: it adds receipts of its own making to an alarm's receipts. It has its own key and every
//! public one, so what it cannot do is exactly to sign as a desk.

use baken_core::transport::{Request, Response};
use baken_schemas::alarm::{Receipt, ReceiptState};
use baken_schemas::api::Documents;
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::DeviceId;
use baken_schemas::signed::{Signed, Unverified};

/// What the relay lies with.
pub(super) struct Liar {
    /// The relay's keys.
    pub(super) keys: DeviceKeys,
    /// In whose name it speaks.
    pub(super) desk: DeviceId,
}

impl Liar {
    /// The answer with lies added, where it is one to a phone that asks what became of its alarm.
    pub(super) fn overstate(&self, request: &Request, response: Response) -> Response {
        let asks = request.method == http::Method::GET && request.path_and_query.ends_with("/receipts");
        let documents = cbor::from_slice::<Documents>(&response.body, "receipts").ok().filter(|_| asks);
        let Some(mut documents) = documents.filter(|_| response.status == 200) else { return response };
        let stored = documents.documents.first().and_then(|bytes| Unverified::<Receipt>::parse(bytes).ok());
        let Some(stored) = stored.map(|stored| stored.claims().clone()) else { return response };
        let lies = [(ReceiptState::Seen, self.desk), (ReceiptState::Closed, self.keys.device)];
        documents.documents.extend(lies.map(|(state, by)| {
            let lie = Receipt { state, by, prev: Hash::ZERO, detail: Vec::new(), ..stored.clone() };
            Signed::make(lie, &self.keys.sig).bytes().to_vec().into()
        }));
        Response { status: response.status, body: cbor::to_vec(&documents).into() }
    }
}
