"""Columns (format): what the columns of a list of subscribers mean, by their Finnish, Swedish and English headings."""

from collections.abc import Mapping

from shared.records import Vocabulary

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "email": ("Sähköposti", "Sähköpostiosoite", "E-post", "E-postadress", "Email", "E-mail address", "Address"),
    "name": ("Nimi", "Namn", "Name"),
    "audience": ("Kohderyhmä", "Ryhmä", "Målgrupp", "Grupp", "Audience", "Group"),
    "municipalities": ("Kunnat", "Kunta", "Kommuner", "Kommun", "Municipalities", "Municipality"),
    "language": ("Kieli", "Asiointikieli", "Språk", "Language"),
}
"""The first heading of each is ours."""

REQUIRED = ("email",)
LIMITS: Mapping[str, int] = {"email": 254, "name": 100, "audience": 100, "municipalities": 300, "language": 20}
"""Characters at most."""

VOCABULARY = Vocabulary(HEADINGS, REQUIRED)
