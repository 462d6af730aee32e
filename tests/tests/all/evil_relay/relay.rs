//! The liar: in front of the town's real router it keeps what went by, and changes answers as the case says.

use std::sync::Mutex;

use async_trait::async_trait;
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_schemas::api::Page;
use baken_schemas::cbor;
use baken_schemas::entry::{Entry, EntryHeader};
use baken_tests::sim::network::{AUTHORITY, Network};
use http::Method;

/// What was asked.
#[derive(Clone)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub body: Vec<u8>,
}

/// What went by, with the true answer.
#[derive(Clone)]
pub struct Heard {
    pub asked: Asked,
    pub answer: Response,
}

type Lie = Box<dyn FnMut(&Asked, Response, &[Heard]) -> Response + Send>;
type Instead = Box<dyn FnMut(&Asked, &[Heard]) -> Option<Response> + Send>;

/// The relay as one phone meets it. Tells the truth until it is told a lie.
pub struct Evil {
    network: Network,
    lie: Mutex<Option<Lie>>,
    instead: Mutex<Option<Instead>>,
    heard: Mutex<Vec<Heard>>,
}

impl Evil {
    pub fn before(network: &Network) -> Self {
        Self {
            network: network.clone(),
            lie: Mutex::new(None),
            instead: Mutex::new(None),
            heard: Mutex::new(Vec::new()),
        }
    }

    /// Changes answers, with all that went by before at hand.
    pub fn lie(&self, lie: impl FnMut(&Asked, Response, &[Heard]) -> Response + Send + 'static) {
        *self.lie.lock().unwrap() = Some(Box::new(lie));
    }

    /// Answers without asking the real relay, where the case gives an answer.
    pub fn answer_instead(&self, instead: impl FnMut(&Asked, &[Heard]) -> Option<Response> + Send + 'static) {
        *self.instead.lock().unwrap() = Some(Box::new(instead));
    }

    /// Changes the pages whose path holds `of`.
    pub fn pages(&self, of: &str, mut change: impl FnMut(&mut Page, &[Heard]) + Send + 'static) {
        let of = of.to_owned();
        self.lie(move |asked, answer, heard| {
            if asked.method != Method::GET || !asked.path.contains(&of) {
                return answer;
            }
            let Some(mut page) = page_of(&answer) else { return answer };
            change(&mut page, heard);
            says(cbor::to_vec(&page))
        });
    }

    /// Answers with `body` where the path holds `of` and the real relay answers at all.
    pub fn hands_over(&self, of: &str, body: Vec<u8>) {
        let of = of.to_owned();
        self.lie(move |asked, answer, _| {
            let is_meant = asked.method == Method::GET && asked.path.contains(&of);
            if is_meant { says(body.clone()) } else { answer }
        });
    }

    /// The truth from here on.
    pub fn stop(&self) {
        *self.lie.lock().unwrap() = None;
        *self.instead.lock().unwrap() = None;
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The bodies of what was sent to a path that holds `of`.
    pub fn sent(&self, of: &str) -> Vec<Vec<u8>> {
        let sent = self.heard().into_iter().filter(|heard| heard.asked.method != Method::GET);
        sent.filter(|heard| heard.asked.path.contains(of)).map(|heard| heard.asked.body).collect()
    }

    /// The items of all pages that went by.
    pub fn items(&self, of: &str) -> Vec<Vec<u8>> {
        let pages = self.heard().into_iter().filter(|heard| heard.asked.path.contains(of));
        let pages = pages.filter_map(|heard| page_of(&heard.answer));
        pages.flat_map(|page| page.items).map(|item| item.bytes.to_vec()).collect()
    }
}

#[async_trait]
impl Transport for Evil {
    fn authority(&self) -> &str {
        AUTHORITY
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let asked =
            Asked { method: request.method.clone(), path: request.path_and_query.clone(), body: request.body.clone() };
        let before = self.heard();
        let instead = self.instead.lock().unwrap().as_mut().and_then(|instead| instead(&asked, &before));
        let truth = match instead {
            Some(instead) => instead,
            None => self.network.send(request).await?,
        };
        self.heard.lock().unwrap().push(Heard { asked: asked.clone(), answer: truth.clone() });
        match &mut *self.lie.lock().unwrap() {
            Some(lie) => Ok(lie(&asked, truth, &before)),
            None => Ok(truth),
        }
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        self.network.live(request).await
    }
}

/// An answer with this body.
pub fn says(body: Vec<u8>) -> Response {
    Response { status: 200, body: body.into() }
}

/// The page in an answer.
pub fn page_of(answer: &Response) -> Option<Page> {
    cbor::from_slice(&answer.body, "a page").ok().filter(|_| answer.status == 200)
}

/// An entry with another header around the same seal.
pub fn with_header(entry: &[u8], change: impl FnOnce(&mut EntryHeader)) -> Vec<u8> {
    let mut header = Entry::parse(entry).unwrap().header().clone();
    let old = cbor::to_vec(&header);
    change(&mut header);
    // `[header, sealed]`, both byte strings: what comes behind the old header is the seal.
    let at = entry.windows(old.len()).position(|window| window == old).unwrap() + old.len();
    let new = cbor::to_vec(&header);
    let mut bytes = vec![0x82];
    match u8::try_from(new.len()) {
        Ok(len @ 0..24) => bytes.push(0x40 | len),
        Ok(len) => bytes.extend([0x58, len]),
        Err(_) => panic!("a header is short"),
    }
    bytes.extend(new);
    bytes.extend(&entry[at..]);
    Entry::parse(&bytes).unwrap();
    bytes
}
