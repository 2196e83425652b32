//! Networks, their passphrases and their known archives (rules B.11, D.2).

use core::fmt;

use serde::Serialize;

use crate::codec::hash::{Hash256, sha256};

/// `sha256(passphrase)`: what signatures and transaction hashes are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkId(Hash256);

impl NetworkId {
    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> &Hash256 {
        &self.0
    }
}

/// A Stellar network, named by its passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    passphrase: String,
}

impl Network {
    /// Any network.
    #[must_use]
    pub fn from_passphrase(passphrase: impl Into<String>) -> Self {
        Self { passphrase: passphrase.into() }
    }

    /// A known name (`pubnet`, `testnet`, `futurenet`, `standalone`; `public` and `mainnet` mean `pubnet`) or a
    /// passphrase.
    #[must_use]
    pub fn from_name_or_passphrase(text: &str) -> Self {
        let wanted = match text {
            "mainnet" | "public" => "pubnet",
            other => other,
        };
        let known = KNOWN_NETWORKS.iter().find(|known| known.name == wanted);
        Self::from_passphrase(known.map_or(text, |known| known.passphrase))
    }

    /// The passphrase.
    #[must_use]
    pub fn passphrase(&self) -> &str {
        &self.passphrase
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> NetworkId {
        NetworkId(sha256(&[self.passphrase.as_bytes()]))
    }

    /// Its short name, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        KNOWN_NETWORKS.iter().find(|known| known.passphrase == self.passphrase).map(|known| known.name)
    }

    /// Whether this is the public network.
    #[must_use]
    pub fn is_pubnet(&self) -> bool {
        self.name() == Some("pubnet")
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.passphrase)
    }
}

/// A network that everybody knows, with archives to read it from.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KnownNetwork {
    /// Short name.
    pub name: &'static str,
    /// Passphrase.
    pub passphrase: &'static str,
    /// Public archives.
    pub archives: &'static [KnownArchive],
}

/// A public archive.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KnownArchive {
    /// Who runs it.
    pub organisation: &'static str,
    /// Its validator's name.
    pub name: &'static str,
    /// Its root, in the https form (pages on https may not read http).
    pub url: &'static str,
}

/// The networks, with the archives that stellar/packages and stellar/quickstart listed in August 2026 (both lists of
/// rules D.2: they disagree on the seventh organisation).
pub const KNOWN_NETWORKS: &[KnownNetwork] = &[
    KnownNetwork {
        name: "pubnet",
        passphrase: "Public Global Stellar Network ; September 2015",
        archives: &[
            KnownArchive { organisation: "SDF", name: "SDF 1", url: "https://history.stellar.org/prd/core-live/core_live_001" },
            KnownArchive { organisation: "SDF", name: "SDF 2", url: "https://history.stellar.org/prd/core-live/core_live_002" },
            KnownArchive { organisation: "SDF", name: "SDF 3", url: "https://history.stellar.org/prd/core-live/core_live_003" },
            KnownArchive { organisation: "PublicNode", name: "Boötes", url: "https://bootes-history.publicnode.org" },
            KnownArchive { organisation: "PublicNode", name: "Lyra", url: "https://lyra-history.publicnode.org" },
            KnownArchive { organisation: "PublicNode", name: "Hercules", url: "https://hercules-history.publicnode.org" },
            KnownArchive { organisation: "LOBSTR", name: "LOBSTR 1 (Europe)", url: "https://archive.v1.stellar.lobstr.co" },
            KnownArchive { organisation: "LOBSTR", name: "LOBSTR 2 (Europe)", url: "https://archive.v2.stellar.lobstr.co" },
            KnownArchive { organisation: "LOBSTR", name: "LOBSTR 3 (North America)", url: "https://archive.v3.stellar.lobstr.co" },
            KnownArchive { organisation: "LOBSTR", name: "LOBSTR 4 (Asia)", url: "https://archive.v4.stellar.lobstr.co" },
            KnownArchive { organisation: "LOBSTR", name: "LOBSTR 5 (India)", url: "https://archive.v5.stellar.lobstr.co" },
            KnownArchive {
                organisation: "Franklin Templeton",
                name: "FT SCV 1",
                url: "https://stellar-history1.franklintempleton.com/history1",
            },
            KnownArchive {
                organisation: "Franklin Templeton",
                name: "FT SCV 2",
                url: "https://stellar-history2.franklintempleton.com/history2",
            },
            KnownArchive {
                organisation: "Franklin Templeton",
                name: "FT SCV 3",
                url: "https://stellar-history3.franklintempleton.com/history3",
            },
            KnownArchive { organisation: "Blockdaemon", name: "Blockdaemon 1", url: "https://stellar-full-history1.bdnodes.net" },
            KnownArchive { organisation: "Blockdaemon", name: "Blockdaemon 2", url: "https://stellar-full-history2.bdnodes.net" },
            KnownArchive { organisation: "Blockdaemon", name: "Blockdaemon 3", url: "https://stellar-full-history3.bdnodes.net" },
            KnownArchive { organisation: "Creit", name: "Alpha", url: "https://alpha-history.validator.stellar.creit.tech" },
            KnownArchive { organisation: "Creit", name: "Beta", url: "https://beta-history.validator.stellar.creit.tech" },
            KnownArchive { organisation: "Creit", name: "Gamma", url: "https://gamma-history.validator.stellar.creit.tech" },
            KnownArchive { organisation: "SatoshiPay", name: "Frankfurt", url: "https://stellar-history-de-fra.satoshipay.io" },
            KnownArchive { organisation: "SatoshiPay", name: "Singapore", url: "https://stellar-history-sg-sin.satoshipay.io" },
            KnownArchive { organisation: "SatoshiPay", name: "Iowa", url: "https://stellar-history-us-iowa.satoshipay.io" },
            KnownArchive { organisation: "OBSRVR", name: "OBSRVR 1", url: "https://history-1.nodeswithobsrvr.co/obsrvr-core-1" },
            KnownArchive { organisation: "OBSRVR", name: "OBSRVR 2", url: "https://history-2.nodeswithobsrvr.co/obsrvr-core-2" },
            KnownArchive { organisation: "OBSRVR", name: "OBSRVR 3", url: "https://history-3.nodeswithobsrvr.co/obsrvr-core-3" },
        ],
    },
    KnownNetwork {
        name: "testnet",
        passphrase: "Test SDF Network ; September 2015",
        archives: &[
            KnownArchive {
                organisation: "SDF",
                name: "SDF testnet 1",
                url: "https://history.stellar.org/prd/core-testnet/core_testnet_001",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF testnet 2",
                url: "https://history.stellar.org/prd/core-testnet/core_testnet_002",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF testnet 3",
                url: "https://history.stellar.org/prd/core-testnet/core_testnet_003",
            },
        ],
    },
    KnownNetwork {
        name: "futurenet",
        passphrase: "Test SDF Future Network ; October 2022",
        archives: &[
            KnownArchive {
                organisation: "SDF",
                name: "SDF futurenet 1",
                url: "https://history.stellar.org/dev/core-futurenet/core_futurenet_001",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF futurenet 2",
                url: "https://history.stellar.org/dev/core-futurenet/core_futurenet_002",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF futurenet 3",
                url: "https://history.stellar.org/dev/core-futurenet/core_futurenet_003",
            },
        ],
    },
    KnownNetwork { name: "standalone", passphrase: "Standalone Network ; February 2017", archives: &[] },
];
