//! Who is at the other end of the control socket, and what that allows.

use nix::unistd::{Gid, Group, Uid, User};
use serde_json::{Value, json};
use tokio::net::unix::UCred;

use crate::config::{AdminConfig, Principal};

/// What a caller may do; a higher level includes the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Nothing.
    Nobody,
    /// Read.
    Observer,
    /// Also act on sessions and targets.
    Operator,
    /// Also reload, drain and tap.
    Admin,
}

impl Level {
    /// The word of answers and of the audit.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::Nobody => "nobody",
            Level::Observer => "observer",
            Level::Operator => "operator",
            Level::Admin => "admin",
        }
    }
}

/// The other end of the control socket, as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) pid: Option<i32>,
    /// Its name, where the user database has it.
    pub(crate) user: Option<String>,
    /// Its groups, the first of which is that of the process.
    groups: Vec<(u32, Option<String>)>,
}

impl Caller {
    /// Looks a caller up. Blocks: a user database may be behind a network.
    pub(crate) fn look_up(credentials: UCred) -> Caller {
        let (uid, gid) = (credentials.uid(), credentials.gid());
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let mut gids = vec![gid];
        if let Some(user) = &user
            && let Ok(name) = std::ffi::CString::new(user.name.as_str())
            && let Ok(of_user) = nix::unistd::getgrouplist(&name, user.gid)
        {
            gids.extend(of_user.into_iter().map(Gid::as_raw).filter(|other| *other != gid));
        }
        let name = |gid| Group::from_gid(Gid::from_raw(gid)).ok().flatten().map(|group| group.name);
        let groups = gids.into_iter().map(|gid| (gid, name(gid))).collect();
        Caller { uid, gid, pid: credentials.pid(), user: user.map(|user| user.name), groups }
    }

    /// What it may do by a configuration. The user that the gateway runs as may do everything: it could as well
    /// trace the process.
    pub(crate) fn level(&self, admin: &AdminConfig) -> Level {
        let is_one_of = |principals: &[Principal]| principals.iter().any(|principal| self.is(principal));
        if self.uid == Uid::effective().as_raw() || is_one_of(&admin.admins) {
            Level::Admin
        } else if is_one_of(&admin.operators) {
            Level::Operator
        } else if is_one_of(&admin.observers) {
            Level::Observer
        } else {
            Level::Nobody
        }
    }

    /// For the audit; what it may do is that of a configuration.
    pub(crate) fn who(&self, admin: &AdminConfig) -> Value {
        let Caller { uid, gid, pid, user, .. } = self;
        json!({ "uid": uid, "gid": gid, "pid": pid, "user": user, "level": self.level(admin).name() })
    }

    /// For people.
    pub(crate) fn name(&self) -> String {
        self.user.clone().unwrap_or_else(|| format!("uid {}", self.uid))
    }

    fn is(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Any => true,
            Principal::User(name) => self.user.as_ref() == Some(name),
            Principal::Uid(uid) => self.uid == *uid,
            Principal::Group(name) => self.groups.iter().any(|(_, group)| group.as_ref() == Some(name)),
            Principal::Gid(gid) => self.groups.iter().any(|(group, _)| group == gid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn somebody() -> Caller {
        let groups = vec![
            (1_000_001, Some("staff".to_owned())),
            (1_000_002, Some("oncall".to_owned())),
            (1_000_003, None),
        ];
        Caller { uid: 4_000_000, gid: 1_000_001, pid: Some(7), user: Some("ann".to_owned()), groups }
    }

    fn admin(observers: &[Principal], operators: &[Principal], admins: &[Principal]) -> AdminConfig {
        AdminConfig {
            observers: observers.to_vec(),
            operators: operators.to_vec(),
            admins: admins.to_vec(),
            ..Config::default().admin
        }
    }

    #[test]
    fn the_highest_level_that_names_the_caller_counts() {
        let ann = somebody();
        let group = |name: &str| Principal::Group(name.to_owned());
        let user = |name: &str| Principal::User(name.to_owned());
        assert_eq!(ann.level(&admin(&[], &[], &[])), Level::Nobody);
        assert_eq!(ann.level(&admin(&[Principal::Any], &[], &[])), Level::Observer);
        assert_eq!(ann.level(&admin(&[Principal::Any], &[group("oncall")], &[user("bob")])), Level::Operator);
        assert_eq!(ann.level(&admin(&[], &[], &[user("ann")])), Level::Admin);
        assert_eq!(
            ann.level(&admin(&[], &[Principal::Gid(1_000_003)], &[Principal::Uid(0)])),
            Level::Operator
        );
        assert_eq!(ann.level(&admin(&[Principal::Uid(4_000_000)], &[group("wheel")], &[])), Level::Observer);
    }

    #[test]
    fn the_gateways_own_user_is_admin() {
        let own = Caller { uid: Uid::effective().as_raw(), ..somebody() };
        assert_eq!(own.level(&admin(&[], &[], &[])), Level::Admin);
    }
}
