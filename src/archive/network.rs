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
#[serde(rename_all = "camelCase")]
pub struct KnownArchive {
    /// Who runs it.
    pub organisation: &'static str,
    /// Its validator's name.
    pub name: &'static str,
    /// The domain that vouches for the validator: validators of one domain are one organisation.
    pub home_domain: &'static str,
    /// The validator's public key.
    pub key: &'static str,
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
            KnownArchive {
                organisation: "SDF",
                name: "SDF 1",
                home_domain: "www.stellar.org",
                key: "GCGB2S2KGYARPVIA37HYZXVRM2YZUEXA6S33ZU5BUDC6THSB62LZSTYH",
                url: "https://history.stellar.org/prd/core-live/core_live_001",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF 2",
                home_domain: "www.stellar.org",
                key: "GCM6QMP3DLRPTAZW2UZPCPX2LF3SXWXKPMP3GKFZBDSF3QZGV2G5QSTK",
                url: "https://history.stellar.org/prd/core-live/core_live_002",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF 3",
                home_domain: "www.stellar.org",
                key: "GABMKJM6I25XI4K7U6XWMULOUQIQ27BCTMLS6BYYSOWKTBUXVRJSXHYQ",
                url: "https://history.stellar.org/prd/core-live/core_live_003",
            },
            KnownArchive {
                organisation: "PublicNode",
                name: "Boötes",
                home_domain: "publicnode.org",
                key: "GCVJ4Z6TI6Z2SOGENSPXDQ2U4RKH3CNQKYUHNSSPYFPNWTLGS6EBH7I2",
                url: "https://bootes-history.publicnode.org",
            },
            KnownArchive {
                organisation: "PublicNode",
                name: "Lyra",
                home_domain: "publicnode.org",
                key: "GCIXVKNFPKWVMKJKVK2V4NK7D4TC6W3BUMXSIJ365QUAXWBRPPJXIR2Z",
                url: "https://lyra-history.publicnode.org",
            },
            KnownArchive {
                organisation: "PublicNode",
                name: "Hercules",
                home_domain: "publicnode.org",
                key: "GBLJNN3AVZZPG2FYAYTYQKECNWTQYYUUY2KVFN2OUKZKBULXIXBZ4FCT",
                url: "https://hercules-history.publicnode.org",
            },
            KnownArchive {
                organisation: "LOBSTR",
                name: "LOBSTR 1 (Europe)",
                home_domain: "lobstr.co",
                key: "GCFONE23AB7Y6C5YZOMKUKGETPIAJA4QOYLS5VNS4JHBGKRZCPYHDLW7",
                url: "https://archive.v1.stellar.lobstr.co",
            },
            KnownArchive {
                organisation: "LOBSTR",
                name: "LOBSTR 2 (Europe)",
                home_domain: "lobstr.co",
                key: "GCB2VSADESRV2DDTIVTFLBDI562K6KE3KMKILBHUHUWFXCUBHGQDI7VL",
                url: "https://archive.v2.stellar.lobstr.co",
            },
            KnownArchive {
                organisation: "LOBSTR",
                name: "LOBSTR 3 (North America)",
                home_domain: "lobstr.co",
                key: "GD5QWEVV4GZZTQP46BRXV5CUMMMLP4JTGFD7FWYJJWRL54CELY6JGQ63",
                url: "https://archive.v3.stellar.lobstr.co",
            },
            KnownArchive {
                organisation: "LOBSTR",
                name: "LOBSTR 4 (Asia)",
                home_domain: "lobstr.co",
                key: "GA7TEPCBDQKI7JQLQ34ZURRMK44DVYCIGVXQQWNSWAEQR6KB4FMCBT7J",
                url: "https://archive.v4.stellar.lobstr.co",
            },
            KnownArchive {
                organisation: "LOBSTR",
                name: "LOBSTR 5 (India)",
                home_domain: "lobstr.co",
                key: "GA5STBMV6QDXFDGD62MEHLLHZTPDI77U3PFOD2SELU5RJDHQWBR5NNK7",
                url: "https://archive.v5.stellar.lobstr.co",
            },
            KnownArchive {
                organisation: "Franklin Templeton",
                name: "FT SCV 1",
                home_domain: "www.franklintempleton.com",
                key: "GARYGQ5F2IJEBCZJCBNPWNWVDOFK7IBOHLJKKSG2TMHDQKEEC6P4PE4V",
                url: "https://stellar-history1.franklintempleton.com/history1",
            },
            KnownArchive {
                organisation: "Franklin Templeton",
                name: "FT SCV 2",
                home_domain: "www.franklintempleton.com",
                key: "GCMSM2VFZGRPTZKPH5OABHGH4F3AVS6XTNJXDGCZ3MKCOSUBH3FL6DOB",
                url: "https://stellar-history2.franklintempleton.com/history2",
            },
            KnownArchive {
                organisation: "Franklin Templeton",
                name: "FT SCV 3",
                home_domain: "www.franklintempleton.com",
                key: "GA7DV63PBUUWNUFAF4GAZVXU2OZMYRATDLKTC7VTCG7AU4XUPN5VRX4A",
                url: "https://stellar-history3.franklintempleton.com/history3",
            },
            KnownArchive {
                organisation: "Blockdaemon",
                name: "Blockdaemon 1",
                home_domain: "stellar.blockdaemon.com",
                key: "GAAV2GCVFLNN522ORUYFV33E76VPC22E72S75AQ6MBR5V45Z5DWVPWEU",
                url: "https://stellar-full-history1.bdnodes.net",
            },
            KnownArchive {
                organisation: "Blockdaemon",
                name: "Blockdaemon 2",
                home_domain: "stellar.blockdaemon.com",
                key: "GAVXB7SBJRYHSG6KSQHY74N7JAFRL4PFVZCNWW2ARI6ZEKNBJSMSKW7C",
                url: "https://stellar-full-history2.bdnodes.net",
            },
            KnownArchive {
                organisation: "Blockdaemon",
                name: "Blockdaemon 3",
                home_domain: "stellar.blockdaemon.com",
                key: "GAYXZ4PZ7P6QOX7EBHPIZXNWY4KCOBYWJCA4WKWRKC7XIUS3UJPT6EZ4",
                url: "https://stellar-full-history3.bdnodes.net",
            },
            KnownArchive {
                organisation: "Creit",
                name: "Alpha",
                home_domain: "stellar.creit.tech",
                key: "GBPLJDBFZO2H7QQH7YFCH3HFT6EMC42Z2DNJ2QFROCKETAPY54V4DCZD",
                url: "https://alpha-history.validator.stellar.creit.tech",
            },
            KnownArchive {
                organisation: "Creit",
                name: "Beta",
                home_domain: "stellar.creit.tech",
                key: "GDDANSYOYSY5EPSFHBRPCLX6XMHPPLIMHVIDXG6IPQLVVLRI2BN4HMH3",
                url: "https://beta-history.validator.stellar.creit.tech",
            },
            KnownArchive {
                organisation: "Creit",
                name: "Gamma",
                home_domain: "stellar.creit.tech",
                key: "GBF7QOLFPTHUEDUPTT4ZTULDTA3QXDIO75JHKJN2IYD7YGQLYUTR75BT",
                url: "https://gamma-history.validator.stellar.creit.tech",
            },
            KnownArchive {
                organisation: "SatoshiPay",
                name: "Frankfurt",
                home_domain: "satoshipay.io",
                key: "GC5SXLNAM3C4NMGK2PXK4R34B5GNZ47FYQ24ZIBFDFOCU6D4KBN4POAE",
                url: "https://stellar-history-de-fra.satoshipay.io",
            },
            KnownArchive {
                organisation: "SatoshiPay",
                name: "Singapore",
                home_domain: "satoshipay.io",
                key: "GBJQUIXUO4XSNPAUT6ODLZUJRV2NPXYASKUBY4G5MYP3M47PCVI55MNT",
                url: "https://stellar-history-sg-sin.satoshipay.io",
            },
            KnownArchive {
                organisation: "SatoshiPay",
                name: "Iowa",
                home_domain: "satoshipay.io",
                key: "GAK6Z5UVGUVSEK6PEOCAYJISTT5EJBB34PN3NOLEQG2SUKXRVV2F6HZY",
                url: "https://stellar-history-us-iowa.satoshipay.io",
            },
            KnownArchive {
                organisation: "OBSRVR",
                name: "OBSRVR 1",
                home_domain: "stellar.withobsrvr.com",
                key: "GDRCZ4IPJR7V3HK4GR45CRTE72SDAOZUF2TDBQ5E5IGWC4KM5TSKU2LS",
                url: "https://history-1.nodeswithobsrvr.co/obsrvr-core-1",
            },
            KnownArchive {
                organisation: "OBSRVR",
                name: "OBSRVR 2",
                home_domain: "stellar.withobsrvr.com",
                key: "GA2PU4UGMLSFUXGZATHPTDXXX7FOHBAQC57RSJCQUN72WFKTD6CEPQSF",
                url: "https://history-2.nodeswithobsrvr.co/obsrvr-core-2",
            },
            KnownArchive {
                organisation: "OBSRVR",
                name: "OBSRVR 3",
                home_domain: "stellar.withobsrvr.com",
                key: "GACM6GIRMLXBBZIYJXBDTAEYZ2GJP3JJP5G5K4WDPBS6QFHPJNK6S2FB",
                url: "https://history-3.nodeswithobsrvr.co/obsrvr-core-3",
            },
        ],
    },
    KnownNetwork {
        name: "testnet",
        passphrase: "Test SDF Network ; September 2015",
        archives: &[
            KnownArchive {
                organisation: "SDF",
                name: "SDF testnet 1",
                home_domain: "testnet.stellar.org",
                key: "GDKXE2OZMJIPOSLNA6N6F2BVCI3O777I2OOC4BV7VOYUEHYX7RTRYA7Y",
                url: "https://history.stellar.org/prd/core-testnet/core_testnet_001",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF testnet 2",
                home_domain: "testnet.stellar.org",
                key: "GCUCJTIYXSOXKBSNFGNFWW5MUQ54HKRPGJUTQFJ5RQXZXNOLNXYDHRAP",
                url: "https://history.stellar.org/prd/core-testnet/core_testnet_002",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF testnet 3",
                home_domain: "testnet.stellar.org",
                key: "GC2V2EFSXN6SQTWVYA5EPJPBWWIMSD2XQNKUOHGEKB535AQE2I6IXV2Z",
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
                home_domain: "www.stellar.org",
                key: "GBRIF2N52GVN3EXBBICD5F4L5VUFXK6S6VOUCF6T2DWPLOLGWEPPYZTF",
                url: "https://history.stellar.org/dev/core-futurenet/core_futurenet_001",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF futurenet 2",
                home_domain: "www.stellar.org",
                key: "GAQM2MF22BYOGIF47RZ2523YK7ZL7Z3CIIX6CCPZBWWLE6KJTXMD4SLO",
                url: "https://history.stellar.org/dev/core-futurenet/core_futurenet_002",
            },
            KnownArchive {
                organisation: "SDF",
                name: "SDF futurenet 3",
                home_domain: "www.stellar.org",
                key: "GC2HLBHG4Z7KV73OPKZD6EWXIXM5QOIZVKN5OS4V2HISDOJC3TUORLY4",
                url: "https://history.stellar.org/dev/core-futurenet/core_futurenet_003",
            },
        ],
    },
    KnownNetwork { name: "standalone", passphrase: "Standalone Network ; February 2017", archives: &[] },
];
