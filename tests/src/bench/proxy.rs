//! Counts what goes over the wire: TCP payload, both ways, passed on as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// A proxy on loopback; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    bytes: Arc<AtomicU64>,
    running: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Proxy {
    /// Listens on one port and passes on to another.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(port: u16, behind: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.context("the proxy's port is taken")?;
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        let running = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                // Where nothing listens behind, the caller's connection ends, as it would without a proxy.
                let Ok(server) = TcpStream::connect(("127.0.0.1", behind)).await else { continue };
                let ((caller_read, caller_write), (server_read, server_write)) =
                    (caller.into_split(), server.into_split());
                tokio::spawn(pass(caller_read, server_write, Arc::clone(&counted)));
                tokio::spawn(pass(server_read, caller_write, Arc::clone(&counted)));
            }
        });
        Ok(Self { bytes, running })
    }

    /// How many bytes passed since the last call, both ways together.
    pub fn take(&self) -> u64 {
        self.bytes.swap(0, Ordering::Relaxed)
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counted: Arc<AtomicU64>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        counted.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
