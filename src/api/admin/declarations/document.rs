//! The body of a declaration: larger than a message, for 20,000 sessions with their tokens are some 8 MiB, and cut in two
//! it could name a tenant that the other half declares.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::super::super::body::{content_type, decode};
use super::super::super::codes::Code;
use super::super::super::problem::Problem;
use super::super::super::state::App;
use super::ask::Ask;

/// Largest document. The operator sends it alone, so `server.max_body` does not bound it.
pub(in crate::api) const DOCUMENT_MAX: usize = 16 * 1024 * 1024;

/// The whole document.
pub struct Document(pub Ask);

impl FromRequest<Arc<App>> for Document {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        content_type(request.headers(), &["application/json"])?;
        decode(&collect(app, request).await?).map(Self)
    }
}

async fn collect(app: &App, request: Request) -> Result<Bytes, Problem> {
    let read = Limited::new(request.into_body(), DOCUMENT_MAX).collect();
    match tokio::time::timeout(app.settings.server.request_timeout, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Code::TooLarge, format!("the document has more than {DOCUMENT_MAX} bytes"))
                .remedy("cut it in several, tenants first"))
        }
        Ok(Err(_)) => Err(Problem::new(Code::RequestTimeout, "the body broke off")),
        Err(_) => Err(Problem::new(Code::RequestTimeout, "the body did not arrive in time")),
    }
}
