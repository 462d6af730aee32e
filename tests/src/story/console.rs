//! An officer at the desk's console, over HTTPS like a browser.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::process::until;
use crate::fleet::https_client;

/// A logged-in officer.
#[derive(Debug)]
pub struct Officer {
    client: reqwest::Client,
    base: String,
    cookie: String,
}

impl Officer {
    /// Follows a one-time login link. `tls_root` is the desk's own root (DER).
    ///
    /// # Errors
    /// When the link is refused.
    pub async fn log_in(link: &str, tls_root: &[u8]) -> Result<Self> {
        let client = https_client(tls_root, None)?;
        let scheme_end = link.find("://").context("a link has a scheme")? + 3;
        let host_end = link[scheme_end..].find('/').map_or(link.len(), |at| scheme_end + at);
        let base = link[..host_end].to_owned();
        // A link is opened by a page's button, so that a mail scanner that merely looks at it does not use it up.
        let page = client.get(link).send().await?;
        let (path, token) = link[host_end..].rsplit_once('/').context("a link ends in its token")?;
        let response = if page.headers().contains_key("set-cookie") {
            page
        } else {
            client
                .post(format!("{base}{path}"))
                .header("origin", &base)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("token={token}"))
                .send()
                .await?
        };
        let cookie = response
            .headers()
            .get("set-cookie")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .with_context(|| format!("the login answered {} without a session", response.status()))?
            .to_owned();
        Ok(Self { client, base, cookie })
    }

    /// `GET` of the console's JSON.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn look(&self, path: &str) -> Result<Value> {
        self.try_look(path).await?.with_context(|| format!("the console knows no {path}"))
    }

    /// `GET` of the console's JSON; `None` when there is no such thing (yet).
    async fn try_look(&self, path: &str) -> Result<Option<Value>> {
        let response = self.client.get(format!("{}{path}", self.base)).header("cookie", &self.cookie).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if status == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !status.is_success() {
            bail!("the console answered {status} to {path}: {text}");
        }
        Ok(Some(serde_json::from_str(&text)?))
    }

    /// `GET` of a file.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn fetch(&self, path: &str) -> Result<Vec<u8>> {
        let response = self.client.get(format!("{}{path}", self.base)).header("cookie", &self.cookie).send().await?;
        Ok(response.error_for_status()?.bytes().await?.to_vec())
    }

    /// `POST` of an act.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn act(&self, path: &str, body: &Value) -> Result<Value> {
        let response = self
            .client
            .post(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("origin", &self.base)
            .json(body)
            .send()
            .await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("the console answered {status} to {path}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Looks again until something fits.
    ///
    /// # Errors
    /// When nothing does in time.
    pub async fn look_until<T>(&self, path: &str, fits: impl Fn(&Value) -> Option<T>) -> Result<T> {
        until(path, async || Ok(self.try_look(path).await?.as_ref().and_then(&fits))).await
    }
}
