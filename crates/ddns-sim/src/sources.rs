//! What sources say: the truth, or what such services really say instead.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mainstay_core::chance::Chance;
use mainstay_ddns::{address::Family, engine::plan::SourcePlan, source::Vote};

use crate::scene::below;

/// How a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It tells the truth.
    Honest,
    /// Its first voter says what is not so.
    OneLiar,
    /// Its first voter says what is not so, and the last one says nothing.
    LiarAndSilence,
    /// Its first voter says what is not so, and nobody else says anything.
    LoneLiar,
    /// All say something else.
    Babel,
    /// It says the private address of the router.
    Private,
    /// It says an address behind the provider's NAT.
    Shared,
    /// It answers with a page.
    Page,
    /// It knows no address of this family.
    Nothing,
    /// It never answers.
    Mute,
}

impl Mood {
    /// Draws one that such a source may have.
    pub(crate) fn draw(source: SourcePlan, chance: &mut Chance) -> Self {
        let of_many = [
            Self::OneLiar,
            Self::LiarAndSilence,
            Self::LoneLiar,
            Self::Babel,
            Self::Private,
            Self::Shared,
            Self::Page,
            Self::Nothing,
            Self::Mute,
        ];
        // Whoever is alone is believed: it may be wrong only in ways that can be seen.
        let moods = if source.voters > 1 { &of_many[..] } else { &of_many[4..] };
        moods[below(chance, moods.len())]
    }
}

/// What one voter says.
type Answer = Result<Vec<IpAddr>, String>;

/// Returns what the voters of a source say; nothing when it never answers.
pub(crate) fn votes(
    mood: Mood,
    source: SourcePlan,
    (family, truth): (Family, Option<IpAddr>),
) -> Option<Vec<Vote>> {
    let silence = || Err("no route to host".to_owned());
    let honest = || truth.map_or_else(silence, |truth| Ok(vec![truth]));
    let mut answers: Vec<Answer> = (0..source.voters).map(|_| honest()).collect();
    let is_online = truth.is_some();
    match mood {
        Mood::Mute => return None,
        Mood::Honest => {}
        _ if !is_online => {}
        Mood::OneLiar => answers[0] = Ok(vec![lie(family, 0)]),
        Mood::LiarAndSilence => {
            answers[0] = Ok(vec![lie(family, 0)]);
            if let Some(last) = answers.last_mut() {
                *last = silence();
            }
        }
        Mood::LoneLiar => {
            answers.fill(silence());
            answers[0] = Ok(vec![lie(family, 0)]);
        }
        Mood::Babel => {
            for (number, answer) in (0..).zip(&mut answers) {
                *answer = Ok(vec![lie(family, number)]);
            }
        }
        Mood::Private => answers.fill(Ok(vec![private(family)])),
        Mood::Shared => answers.fill(Ok(vec![shared(family)])),
        Mood::Page => answers.fill(Err("the answer is no address: `<html>`".to_owned())),
        Mood::Nothing => answers.fill(Ok(Vec::new())),
    }
    let vote = |answer| Vote { voter: "voter".to_owned(), answer };
    Some(answers.into_iter().map(vote).collect())
}

/// Returns an address that this machine never had.
fn lie(family: Family, number: u16) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(1, 2, 1, u8::try_from(number).unwrap_or(9))),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0x2606, 4700, number, 0, 0, 0, 0, 1)),
    }
}

fn private(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(192, 168, 1, 1)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, 1)),
    }
}

fn shared(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(100, 64, 1, 2)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1)),
    }
}
