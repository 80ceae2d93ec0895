//! Adapter: fetches TXT records. It asks once for each call, and once more where an alias may lead in a circle; it
//! keeps what the records' own lifetime allows, and knows nothing of what they mean.

use super::TxtAnswer;
use mail_auth::hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
    system_conf::read_system_conf,
};
use std::{net::SocketAddr, time::Duration};

/// More TXT records than this are not a key's; nor are longer ones (RFC 6376 keys have some 400 characters).
const RECORDS_MAX: usize = 16;
const RECORD_BYTES_MAX: usize = 8 << 10;
const ABSENCE_KEPT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Empty: the system's resolvers.
    pub servers: Vec<SocketAddr>,
}

/// Asks the configured servers, or the system's.
pub struct Resolver {
    resolver: TokioResolver,
    timeout: Duration,
}

impl Resolver {
    /// `timeout` bounds each question, whatever the servers do. The error says why there is no resolver.
    pub fn new(settings: &Settings, timeout: Duration) -> Result<Self, String> {
        let (config, mut options) = if settings.servers.is_empty() {
            read_system_conf().map_err(|error| format!("cannot read the system's resolvers: {error}"))?
        } else {
            let servers = settings.servers.iter().map(name_server).collect();
            (ResolverConfig::from_parts(None, Vec::new(), servers), ResolverOpts::default())
        };
        // Two tries fit into the time-out.
        options.timeout = timeout / 3;
        options.attempts = 1;
        // A key that was just published is found a minute later, whatever the zone says of absence.
        options.negative_max_ttl = Some(ABSENCE_KEPT);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = builder.with_options(options).build();
        Ok(Self {
            resolver: resolver.map_err(|error| format!("cannot start the resolver: {error}"))?,
            timeout,
        })
    }

    /// `name` without a final dot. Never fails: not knowing is an answer too.
    pub async fn txt(&self, name: &str) -> TxtAnswer {
        // Fully qualified, so that no search domain of this machine is tried.
        let Ok(name) = Name::from_ascii(format!("{name}.")) else { return TxtAnswer::Missing };
        let asked = tokio::time::timeout(self.timeout, self.ask(name)).await;
        asked.unwrap_or_else(|_| {
            TxtAnswer::Trouble(format!("no answer within {} s", self.timeout.as_secs_f32()))
        })
    }

    async fn ask(&self, name: Name) -> TxtAnswer {
        match self.resolver.txt_lookup(name.clone()).await {
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
                if none.response_code != ResponseCode::NXDomain =>
            {
                self.absence(name).await
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => TxtAnswer::Missing,
            Err(error) => trouble(&error),
            Ok(lookup) => found(lookup.answers().iter().filter_map(|record| match &record.data {
                RData::TXT(txt) => Some(txt.txt_data.concat()),
                _ => None,
            })),
        }
    }

    /// The resolver calls it an absence, too, when it has followed aliases for too long.
    async fn absence(&self, name: Name) -> TxtAnswer {
        match self.resolver.lookup(name, RecordType::CNAME).await {
            Ok(_) => TxtAnswer::Trouble("the name is an alias that leads to no text".into()),
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => TxtAnswer::Missing,
            Err(error) => trouble(&error),
        }
    }
}

fn found(records: impl Iterator<Item = Vec<u8>>) -> TxtAnswer {
    let records: Vec<Vec<u8>> = records.collect();
    if records.is_empty() {
        return TxtAnswer::Missing;
    }
    if records.len() > RECORDS_MAX || records.iter().any(|record| record.len() > RECORD_BYTES_MAX) {
        return TxtAnswer::Trouble("the answer is too large for a key".into());
    }
    TxtAnswer::Found(
        records.into_iter().map(|record| String::from_utf8_lossy(&record).into_owned()).collect(),
    )
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

fn trouble(error: &NetError) -> TxtAnswer {
    TxtAnswer::Trouble(one_line(&error.to_string()))
}

/// The resolver's own words, without line ends; they hold names and codes only.
fn one_line(text: &str) -> String {
    text.chars().take(160).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
