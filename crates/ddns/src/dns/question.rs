//! What a DNS server is asked, and how that lies on the wire.

use std::str::FromStr as _;

use domain::base::{
    MessageBuilder, Name,
    iana::{Class, Rtype},
};

use crate::address::Family;

use super::DnsError;

/// What a server is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name, with or without a last dot.
    pub name: String,
    /// What of it.
    pub kind: Kind,
    /// In which world of names.
    pub realm: Realm,
    /// Whether the server is to ask others.
    pub recursion: Recursion,
}

/// Which records are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Texts.
    Txt,
    /// The servers of a zone.
    Ns,
    /// Where a zone begins, and who has its original.
    Soa,
}

impl Kind {
    /// Returns the type of the records that hold such addresses.
    pub const fn of(family: Family) -> Self {
        match family {
            Family::V4 => Self::A,
            Family::V6 => Self::Aaaa,
        }
    }

    pub(super) const fn rtype(self) -> Rtype {
        match self {
            Self::A => Rtype::A,
            Self::Aaaa => Rtype::AAAA,
            Self::Txt => Rtype::TXT,
            Self::Ns => Rtype::NS,
            Self::Soa => Rtype::SOA,
        }
    }
}

/// In which world of names a question is asked: the class of the DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Realm {
    /// The internet.
    Internet,
    /// What servers say of themselves.
    Chaos,
}

/// Whether a server is to ask others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recursion {
    /// It is: it is a resolver.
    Desired,
    /// It is to tell what it has itself.
    Unwanted,
}

impl Question {
    /// Returns a question to a resolver.
    pub fn to_resolver(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, realm: Realm::Internet, recursion: Recursion::Desired }
    }

    /// Returns a question to a server that has the zone itself.
    pub fn to_authority(name: &str, kind: Kind) -> Self {
        Self { recursion: Recursion::Unwanted, ..Self::to_resolver(name, kind) }
    }

    /// Returns the message that asks it.
    pub(super) fn message(&self, number: u16) -> Result<Vec<u8>, DnsError> {
        let refuse = |why: &dyn ToString| {
            let (name, why) = (self.name.clone(), why.to_string());
            DnsError::Name { name, why }
        };
        let name = Name::<Vec<u8>>::from_str(&self.name).map_err(|error| refuse(&error))?;
        let class = match self.realm {
            Realm::Internet => Class::IN,
            Realm::Chaos => Class::CH,
        };
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(number);
        builder.header_mut().set_rd(self.recursion == Recursion::Desired);
        let mut question = builder.question();
        question.push((name, self.kind.rtype(), class)).map_err(|error| refuse(&error))?;
        Ok(question.finish())
    }
}

/// Folds a nonce into the number of a message, so that each of its bits counts.
pub(crate) fn number(nonce: u128) -> u16 {
    let bytes = nonce.to_be_bytes();
    let pairs = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
    pairs.map(u16::from_be_bytes).fold(0, |all, one| all ^ one)
}
