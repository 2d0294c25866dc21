"""Failure words: how mail servers say without a code why a letter did not arrive, in English, Finnish and Swedish."""

import re

from services.notify.bounce.model import Found

_STILL_TRIED = (
    r"not yet been delivered|could not yet be delivered|has been delayed|delivery .{0,30}delayed|is delayed"
    r"|will (?:continue|keep) (?:to )?try|will be retried|still (?:being )?tr(?:ied|ying)|do not need to resend"
    r"|no action is required on your part|this is (?:only )?a warning|warning message only"
    r"|yritetään .{0,40}uudelleen|yritämme .{0,60}uudelleen|ei ole vielä (?:voitu )?toimit|viivästy"
    r"|har fördröjts|är försenad|ännu inte (?:kunnat )?levere|försöker igen|kommer att försöka"
)
_NOBODY = (
    r"user (?:is )?(?:unknown|not found|does(?:n't| not) exist)|unknown (?:user|address|recipient|mailbox|local)"
    r"|no such (?:user|mailbox|address|recipient|person|domain)|(?:does(?:n't| not)|do not|didn't) (?:seem to )?exist"
    r"|(?:address|recipient|mailbox|account|user|domain|host(?: or domain name)?) (?:\w+ ){0,2}"
    r"(?:wasn't|was not|not|couldn't be|could not be|cannot be) found"
    r"|invalid (?:recipient|mailbox|address|user)|no mailbox here|recipient (?:address )?rejected"
    r"|(?:account|mailbox) (?:\w+ ){0,2}(?:disabled|deactivated|closed|inactive|unavailable)|not listed in"
    r"|osoitetta ei (?:löydy|löytynyt|ole)"
    r"|(?:käyttäjää|vastaanottajaa|postilaatikkoa|tiliä|verkkotunnusta|toimialuetta) ei (?:löydy|löytynyt|ole)"
    r"|tuntematon (?:käyttäjä|vastaanottaja|osoite)|ei ole olemassa|osoite on virheellinen|virheellinen osoite"
    r"|(?:tili|postilaatikko) on (?:suljettu|poistettu|lakkautettu)|ei löytynyt osoitteesta"
    r"|(?:adressen|användaren|mottagaren|kontot|brevlådan|domänen) (?:finns inte|hittades inte|kunde inte hittas)"
    r"|okänd (?:mottagare|användare|adress)|existerar inte"
)
_FULL_OR_AWAY = (
    r"(?:mailbox|inbox|mail box|account) (?:\w+ ){0,3}full|full mailbox|quota|over (?:the |its )?(?:storage )?limit"
    r"|storage (?:\w+ ){0,3}(?:full|exceeded)|timed? ?out|temporar(?:y|ily)|too many recipients"
    r"|connection (?:refused|reset)"
    r"|(?:postilaatikko|saapuneet-kansio|levytila|tila) on täynnä|kiintiö|väliaikai|tilapäi|ei vastannut|aikakatkais"
    r"|(?:brevlåda|brevlådan|inkorgen|inkorg) är full|utrymme|tillfällig|svarade inte"
)
_NOT_WANTED = (
    r"\bspam\b|black ?list|block ?list|\bblocked\b|dnsbl|spamhaus|polic(?:y|ies)|reputation|unsolicited|bulk mail|virus"
    r"|content (?:filter|rejected)|not authorized|dmarc|\bspf\b"
    r"|roskaposti|estolista|estetty|hylkäsi sisällön|skräppost|blockera|svartlist"
)
_MEANINGS = tuple(
    (found, re.compile(words, re.IGNORECASE))
    for found, words in (
        (Found.DELAYED, _STILL_TRIED),
        (Found.HARD, _NOBODY),
        (Found.SOFT, _FULL_OR_AWAY),
        (Found.POLICY, _NOT_WANTED),
    )
)


def read_words(text: str) -> Found | None:
    """What a text says of the letter, by the first kind of words that it holds; None where it says nothing known."""
    line = " ".join(text.split())
    return next((found for found, words in _MEANINGS if words.search(line)), None)
