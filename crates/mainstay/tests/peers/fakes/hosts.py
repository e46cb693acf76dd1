"""Who answers under which name, where all services stand behind one address, as on the internet."""

HOSTS = {
    "www.duckdns.org": "duckdns",
    "dynv6.com": "dynv6",
    "ipv4.dynv6.com": "dynv6",
    "freemyip.com": "freemyip",
    "update.dedyn.io": "desec",
    "dynamicdns.park-your-domain.com": "namecheap",
    "dynupdate.no-ip.com": "noip",
    "api.dynu.com": "dynu",
    "www.ovh.com": "ovh",
    "dyn.dns.he.net": "he",
    "dyndns.strato.com": "strato",
    "carol.selfhost.de": "selfhost",
    "members.dyndns.org": "dyn",
    "updates.dnsomatic.com": "dnsomatic",
    "dyndns.variomedia.de": "variomedia",
}


def provider_of(request, asked):
    """Whose request it is; nobody's where the certificate was asked for in another name."""
    host = request.headers.get("host", "")
    return HOSTS.get(host) if asked in (None, host) else None
