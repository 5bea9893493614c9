//! Opens the connection to a host.

use std::sync::Arc;

use async_trait::async_trait;
use phase::{Context, Failure, HostId, Observe};

use crate::mke::connect::Connecting;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;

/// Opens connections.
pub struct Connect(pub Arc<Connecting>);

#[async_trait]
impl Observe<MkeDomain> for Connect {
    fn id(&self) -> &'static str {
        "connect"
    }

    fn title(&self) -> &'static str {
        "Open Remote Connection"
    }

    fn is_needed(&self, shared: &crate::mke::shared::Shared, id: HostId, _: &Facts) -> bool {
        shared.host(id).is_err()
    }

    async fn observe(
        &self,
        cx: &Context<MkeDomain>,
        id: HostId,
        _facts: &mut Facts,
    ) -> Result<(), Failure> {
        let host = self
            .0
            .open(id, cx.shared.name(id), cx.shared.host_config(id))
            .await?;
        cx.shared.connected(id, host);
        Ok(())
    }
}
