"""The words from which the demonstration's associations and people are named; any likeness is accidental."""

from dataclasses import dataclass
from random import Random

from shared import region


@dataclass(frozen=True)
class Wording:
    """How associations of a sector are called: `town` ones by municipality, `local` ones by village too."""

    town: tuple[str, ...]
    local: tuple[str, ...]
    swedish: tuple[str, ...]


GENITIVES = {
    "061": "Forssan",
    "082": "Hattulan",
    "086": "Hausjärven",
    "103": "Humppilan",
    "109": "Hämeenlinnan",
    "165": "Janakkalan",
    "169": "Jokioisten",
    "433": "Lopen",
    "694": "Riihimäen",
    "834": "Tammelan",
    "981": "Ypäjän",
}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


_VILLAGE_STEMS = _words(
    "Kuusi Koivu Haapa Leppä Pihlaja Vaahtera Kataja Kanerva Karhu Kettu Hauki Ahven Kurki Joutsen Teeri "
    "Kivi Hiekka Savi Sammal Mustikka Humala Käki Päivä"
)
_VILLAGE_ENDINGS = _words(
    "kylän mäen lahden niemen salon korven kosken harjun kankaan rannan vainion nummen kulman perän ojan"
)
_VILLAGES = tuple(stem + ending for ending in _VILLAGE_ENDINGS for stem in _VILLAGE_STEMS)

_PROFESSIONS = _words(
    "Opettajien Hoitajien Lähihoitajien Metallityöntekijöiden Rakentajien Kuljettajien Siivoojien Kokkien "
    "Myyjien Varastotyöntekijöiden Sähköasentajien Putkiasentajien Maalareiden Puutyöntekijöiden "
    "Paperityöntekijöiden Tekstiilityöntekijöiden Elintarviketyöntekijöiden Kiinteistönhoitajien "
    "Palomiesten Vartijoiden Kirjastonhoitajien Nuoriso-ohjaajien Sosiaalityöntekijöiden Lääkärien "
    "Insinöörien Teknikoiden Toimihenkilöiden Postinkantajien Rautatieläisten Varhaiskasvattajien "
    "Maanmittarien Metsureiden Puutarhureiden Leipureiden Kampaajien Laboranttien"
)
_COUNTRIES = _words(
    "Viro Unkari Saksa Espanja Ranska Italia Japani Kanada Islanti Puola Kreikka Irlanti Norja Ruotsi "
    "Tanska Portugali Skotlanti Latvia Liettua Tšekki"
)


WORDINGS = {
    "trade-unions": Wording(
        town=tuple(
            f"{profession} {kind}"
            for kind in ("Ammattiosasto", "Ammattiyhdistys", "Senioriosasto")
            for profession in _PROFESSIONS
        ),
        local=(),
        swedish=_listed("Lärarföreningen, Vårdarföreningen, Tjänstemannaföreningen, Fackavdelningen"),
    ),
    "nature": Wording(
        town=_listed(
            "Luonnonystävät, Lintuharrastajat, Kennelkerho, Kissaystävät, Mehiläishoitajat, Sieniseura, "
            "Vesiensuojeluyhdistys, Luontokuvaajat"
        ),
        local=_listed(
            "Metsästysseura, Kalastusseura, Eränkävijät, Hirviseurue, Puutarhaseura, Metsänystävät, "
            "Järvensuojeluyhdistys"
        ),
        swedish=_listed("Naturföreningen, Jaktföreningen, Trädgårdsföreningen, Fågelvännerna"),
    ),
    "social-health": Wording(
        town=_listed(
            "Eläkkeensaajat, Omaishoitajat, Sydänyhdistys, Hengitysyhdistys, Diabetesyhdistys, "
            "Muistiyhdistys, Näkövammaiset, Kuuloyhdistys, Liikuntavammaiset, Mielenvireysyhdistys, "
            "Perheyhdistys, Allergiayhdistys, Nivelyhdistys, Vertaistukijat"
        ),
        local=_listed(
            "Eläkeläisyhdistys, Vanhempainyhdistys, Ystäväpalvelu, Naapuriapu, Terveysyhdistys, Päihteetön Seura"
        ),
        swedish=_listed("Pensionärsföreningen, Anhörigföreningen, Vänföreningen, Hörselföreningen"),
    ),
    "politics": Wording(
        town=_listed(
            "Ihmisoikeusyhdistys, Kansalaisfoorumi, Tasa-arvoyhdistys, Demokratiayhdistys, Nuorten "
            "Vaikuttajat, Kuntalaisyhdistys, Kuluttajayhdistys, Keskusteluseura, Eurooppaseura"
        ),
        local=_listed("Työväenyhdistys, Kansalaisyhdistys, Naisyhdistys, Yhteislista, Asukaslista"),
        swedish=_listed("Medborgarföreningen, Kvinnoföreningen, Diskussionsklubben, Jämlikhetsföreningen"),
    ),
    "village": Wording(
        town=_listed("Kylien Neuvosto, Kotiseutuarkiston Ystävät, Perinneyhdistys, Asukasneuvosto"),
        local=_listed(
            "Kyläyhdistys, Kotiseutuyhdistys, Kyläseura, Asukasyhdistys, Omakotiyhdistys, Maamiesseura, "
            "Kylätalon Ystävät"
        ),
        swedish=_listed("Hembygdsföreningen, Byalaget, Egnahemsföreningen, Invånarföreningen"),
    ),
    "safety": Wording(
        town=_listed(
            "Reserviläiset, Reserviupseerit, Maanpuolustusnaiset, Pelastuskoirat, Etsintäpartio, "
            "Järvipelastajat, Radioamatöörit, Ensiapuryhmä, Maanpuolustuskilta, Rauhanturvaajat, "
            "Väestönsuojeluyhdistys"
        ),
        local=_listed("Vapaaehtoinen Palokunta, Nuorisopalokunta, Kyläturva, Valmiusryhmä"),
        swedish=_listed("Brandkåren, Reservistföreningen, Räddningshundarna, Beredskapsföreningen"),
    ),
    "international": Wording(
        town=tuple(f"{country}-seura" for country in _COUNTRIES)
        + _listed(
            "Kansainvälinen Yhdistys, Ystävyyskuntaseura, Kummiyhdistys, Kehitysyhteistyöyhdistys, "
            "Hyväntekeväisyysseura, Monikulttuurinen Seura, Maahanmuuttajanaiset, Kielikahvila, "
            "Rauhankasvattajat"
        ),
        local=_listed("Hyväntekijät, Ystävyysseura, Joulukeräys"),
        swedish=_listed("Vänortsföreningen, Norden-vännerna, Fadderföreningen, Språkcaféet"),
    ),
    "business": Wording(
        town=_listed(
            "Kauppiasyhdistys, Matkailuyrittäjät, Käsityöyrittäjät, Yrittäjänaiset, Nuoret Yrittäjät, "
            "Työnhakijat, Elinkeinoseura, Keksijät, Uusyrittäjät"
        ),
        local=_listed("Yrittäjät, Työpajayhdistys, Osuustoiminnan Ystävät, Maataloustuottajat"),
        swedish=_listed("Företagarna, Köpmannaföreningen, Näringslivsklubben, Uppfinnarna"),
    ),
    "religion": Wording(
        town=_listed(
            "Lähetysyhdistys, Rukousyhteisö, Ekumeeninen Seura, Pyhiinvaeltajat, Katsomusten Vuoropuhelu, "
            "Kristilliset Nuoret, Humanistit"
        ),
        local=_listed("Rukoushuoneyhdistys, Kappeliyhdistys, Raamattupiiri, Hiljaisuuden Ystävät"),
        swedish=_listed("Missionsvännerna, Bönhusföreningen, Ekumeniska Föreningen, Pilgrimsvännerna"),
    ),
    "culture": Wording(
        town=_listed(
            "Taideseura, Kamerakerho, Elokuvayhdistys, Mieskuoro, Naiskuoro, Kamariorkesteri, "
            "Kansantanssijat, Runoyhdistys, Jazzyhdistys, Sanataideyhdistys, Kuvataiteilijat, "
            "Musiikkiyhdistys"
        ),
        local=_listed(
            "Nuorisoseura, Sekakuoro, Kesäteatteri, Pelimannit, Taideyhdistys, Käsityökerho, Soittokunta, "
            "Näytelmäpiiri, Lukupiiri"
        ),
        swedish=_listed(
            "Svenska Kören, Sångföreningen, Konstföreningen, Teatergillet, Bokcirkeln, Folkdansarna, Spelmännen"
        ),
    ),
    "sports": Wording(
        town=_listed(
            "Judokat, Melojat, Keilaajat, Golfseura, Tenniskerho, Sulkapalloilijat, Taitoluistelijat, "
            "Kiipeilijät, Koripalloilijat, Pyöräilijät, Shakkikerho, Painijat, Salibandy, "
            "Senioriliikkujat"
        ),
        local=_listed(
            "Urheilijat, Pallo, Hiihtäjät, Voimistelijat, Uimarit, Palloseura, Kisailijat, Latuyhdistys, "
            "Jousiampujat, Ratsastajat, Suunnistajat, Kiekko"
        ),
        swedish=_listed(
            "Idrottsföreningen, Bollklubben, Gymnastikföreningen, Skidklubben, Simklubben, Orienterarna, "
            "Motionsvännerna, Tennisklubben"
        ),
    ),
    "other": Wording(
        town=_listed(
            "Opiskelijat, Filatelistit, Keräilijät, Mopoharrastajat, Sukututkijat, Pienoisrautatiekerho, "
            "Lautapelaajat, Vanhat Autot, Asuntovaunuilijat, Kutojat"
        ),
        local=_listed("Saunaseura, Moottorikerho, Tanssikerho, Veneilijät, Harrastekerho, Talkooväki"),
        swedish=_listed("Svenska Föreningen, Svenska Klubben, Släktforskarna, Frimärksklubben, Båtklubben"),
    ),
}

_ENGLISH = _listed(
    "International Club, Newcomers' Network, English Speakers, Language Café, Welcome Circle, Friendship "
    "Society, International Families, Charity Quilters"
)

_FINNISH_GIVEN = _words(
    "Aino Aleksi Anna Antti Arja Eero Eeva Eila Elina Erkki Esko Hanna Heikki Helena Helmi Hilkka Irja "
    "Ilkka Jaana Juha Jukka Juhani Kaarina Kaija Kalevi Kari Katri Kirsti Lauri Leena Liisa Maija Marja "
    "Markku Martti Matti Mikko Minna Niina Olavi Outi Paavo Pekka Pirjo Päivi Raija Reijo Riitta Saara "
    "Sanna Seppo Sirpa Sinikka Tapani Tarja Teuvo Timo Tuula Ulla Veikko Vesa Ville"
)
_FINNISH_FAMILY = tuple(
    stem + ending
    for stem in _words("Usva Sumu Routa Tuisku Untuva Sirppi Airo Kanto Tähkä Harso Loimu Vaahti Kuura Hehku")
    for ending in _words("kallio virta suvanto salmi vuori notko tanner vainio")
)
_SWEDISH_GIVEN = _words(
    "Agneta Anders Astrid Birgitta Bo Carita Elsa Folke Gun Gunnel Göran Håkan Ingrid Karl Lars Lena Maj "
    "Margareta Nils Ole Sten Stig Sven Ulrika Ylva"
)
_SWEDISH_FAMILY = tuple(
    stem + ending
    for stem in _words("Dim Rim Dagg Snö Våg Skym Ljung")
    for ending in _words("kulla holme berga sund näs")
)
_NEWCOMER_GIVEN = _words("Amina Chloe Daniel Elena Ivan James Lucia Maria Noor Omar Priya Rosa Samuel Thomas")


def town_names(municipality: str, sector: str) -> tuple[str, ...]:
    """Every Finnish name that speaks of the whole municipality (a code) or its surroundings."""
    genitive, wording = GENITIVES[municipality], WORDINGS[sector]
    return tuple(
        [f"{genitive} {tail} ry" for tail in wording.town + wording.local]
        + [f"{genitive} Seudun {tail} ry" for tail in wording.town]
    )


def villages(municipality: str) -> tuple[str, ...]:
    """The genitives of a municipality's invented villages; no two municipalities share one."""
    return _VILLAGES[list(GENITIVES).index(municipality) :: len(GENITIVES)]


def village_names(municipality: str, sector: str) -> tuple[str, ...]:
    """Every Finnish name that speaks of one of the municipality's invented villages."""
    return tuple(f"{village} {tail} ry" for village in villages(municipality) for tail in WORDINGS[sector].local)


def swedish_names(municipality: str, sector: str) -> tuple[str, ...]:
    """Every Swedish name of a sector in a municipality and in the country around it."""
    town = region.municipality(municipality).sv
    return tuple(f"{head} i {town}{around} rf" for head in WORDINGS[sector].swedish for around in ("", "nejden"))


def english_names(municipality: str) -> tuple[str, ...]:
    """Every English name in a municipality; all are of the international sector."""
    town = region.municipality(municipality).fi
    return tuple(f"{town} {tail} ry" for tail in _ENGLISH)


def person_name(rng: Random, language: str) -> str:
    """A given name used in that language and an invented family name: two words that are seldom joined."""
    match language:
        case "sv":
            given, family = _SWEDISH_GIVEN, _SWEDISH_FAMILY
        case "en":
            given, family = _NEWCOMER_GIVEN, _FINNISH_FAMILY
        case _:
            given, family = _FINNISH_GIVEN, _FINNISH_FAMILY
    return f"{rng.choice(given)} {rng.choice(family)}"
