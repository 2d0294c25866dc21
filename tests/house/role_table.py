"""Who may pass which door: one table of all staff pages of all services. A new page must be written into it."""

from shared.identity import Role

EVERYBODY = frozenset(Role)
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
DESK = frozenset({Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR})
EDITS = frozenset({Role.CLERK, Role.ADMINISTRATOR})
OPENS = frozenset({Role.LIAISON, Role.ADMINISTRATOR})
ASKS = frozenset({Role.LIAISON})
READS_GUIDANCE = frozenset({Role.EDITOR, Role.APPROVER, Role.LIAISON, Role.ADMINISTRATOR})
WRITES = frozenset({Role.EDITOR})
APPROVES = frozenset({Role.APPROVER})

MAY_PASS: dict[str, frozenset[Role]] = {
    # every service
    "GET /{service}/dead-letters": ADMINISTRATOR,
    "POST /{service}/dead-letters/{letter_id}/replay": ADMINISTRATOR,
    "POST /{service}/dead-letters/{letter_id}/discard": ADMINISTRATOR,
    # intake: one's own page
    "GET /me": EVERYBODY,
    "POST /me/language": EVERYBODY,
    "POST /me/sessions/end-others": EVERYBODY,
    "POST /me/sessions/{session_id}/end": EVERYBODY,
    # intake: the registry
    "GET /registry": DESK,
    "GET /registry/{association_id}": DESK,
    "GET /registry/{association_id}/answers": DESK,
    "GET /registry/import": ADMINISTRATOR,
    "POST /registry/import": ADMINISTRATOR,
    "GET /registry/import/{name}": ADMINISTRATOR,
    "POST /registry/import/{name}": ADMINISTRATOR,
    "GET /registry/new": EDITS,
    "POST /registry/new": EDITS,
    "GET /registry/{association_id:uuid}/edit": EDITS,
    "POST /registry/{association_id:uuid}/edit": EDITS,
    "GET /registry/{association_id:uuid}/contacts/new": EDITS,
    "POST /registry/{association_id:uuid}/contacts/new": EDITS,
    "GET /registry/{association_id:uuid}/contacts/{contact_id:uuid}": EDITS,
    "POST /registry/{association_id:uuid}/contacts/{contact_id:uuid}": EDITS,
    "POST /registry/{association_id:uuid}/contacts/{contact_id:uuid}/move": EDITS,
    "GET /registry/{association_id:uuid}/contacts/{contact_id:uuid}/remove": EDITS,
    "POST /registry/{association_id:uuid}/contacts/{contact_id:uuid}/remove": EDITS,
    "POST /registry/{association_id:uuid}/proposals/{proposal_id:uuid}": EDITS,
    "GET /registry/{association_id:uuid}/merge": EDITS,
    "GET /registry/{association_id:uuid}/merge/{other_id:uuid}": EDITS,
    "POST /registry/{association_id:uuid}/merge/{other_id:uuid}": EDITS,
    "GET /registry/{association_id:uuid}/retire": EDITS,
    "POST /registry/{association_id:uuid}/retire": EDITS,
    "GET /registry/networks": ADMINISTRATOR,
    "POST /registry/networks": ADMINISTRATOR,
    "GET /registry/networks/{code}": ADMINISTRATOR,
    "POST /registry/networks/{code}": ADMINISTRATOR,
    "GET /registry/networks/{code}/add": ADMINISTRATOR,
    "POST /registry/networks/{code}/add": ADMINISTRATOR,
    "POST /registry/networks/{code}/remove": ADMINISTRATOR,
    "GET /registry/confirmation": ADMINISTRATOR,
    "POST /registry/confirmation": ADMINISTRATOR,
    "GET /registry/proposals": DESK,
    "GET /who-can": EVERYBODY,
    "GET /who-can.csv": EVERYBODY,
    # intake: every way of answering
    "GET /calls": DESK,
    "GET /calls/rounds/{round_id:uuid}": DESK,
    "POST /calls/rounds/{round_id:uuid}/next": DESK,
    "GET /calls/{invitation_id:uuid}": DESK,
    "POST /calls/{invitation_id:uuid}/take": DESK,
    "POST /calls/{invitation_id:uuid}/release": DESK,
    "POST /calls/{invitation_id:uuid}/tried": DESK,
    "POST /calls/{invitation_id:uuid}/answer": DESK,
    "GET /calls/{invitation_id:uuid}/recorded": DESK,
    "GET /paper/{round_id:uuid}": DESK,
    "GET /paper/{round_id:uuid}/{municipality}/list": DESK,
    "GET /paper/{round_id:uuid}/{municipality}/list.pdf": DESK,
    "GET /paper/{round_id:uuid}/{municipality}/sheets": DESK,
    "POST /paper/{round_id:uuid}/{municipality}/sheets": DESK,
    "GET /paper/{round_id:uuid}/{municipality}/sheets.pdf": DESK,
    "GET /paper/{round_id:uuid}/{municipality}/answers": DESK,
    "POST /paper/{round_id:uuid}/{municipality}/answers": DESK,
    "POST /paper/{round_id:uuid}/{municipality}/answers/{invitation_id:uuid}": DESK,
    "GET /replies": DESK,
    "GET /replies/{reply_id}": DESK,
    "POST /replies/{reply_id}": DESK,
    "GET /work-list": DESK,
    "GET /work-list/failed": DESK,
    "GET /work-list/unreachable": DESK,
    # intake: people, partners, audit
    "GET /people": ADMINISTRATOR,
    "GET /people/new": ADMINISTRATOR,
    "POST /people/new": ADMINISTRATOR,
    "GET /people/{person_id}": ADMINISTRATOR,
    "POST /people/{person_id}": ADMINISTRATOR,
    "POST /people/{person_id}/sessions/end": ADMINISTRATOR,
    "GET /partners": ADMINISTRATOR,
    "GET /partners/new": ADMINISTRATOR,
    "POST /partners/new": ADMINISTRATOR,
    "POST /partners/{key_id}/revoke": ADMINISTRATOR,
    "GET /audit": ADMINISTRATOR,
    "POST /audit/export": ADMINISTRATOR,
    # status
    "GET /situations": EVERYBODY,
    "GET /situations/new": OPENS,
    "POST /situations/new": OPENS,
    "GET /situations/{situation_id:uuid}": EVERYBODY,
    "GET /situations/{situation_id:uuid}/live": EVERYBODY,
    "GET /situations/{situation_id:uuid}/{municipality}": EVERYBODY,
    "GET /situations/{situation_id:uuid}/edit": OPENS,
    "POST /situations/{situation_id:uuid}/edit": OPENS,
    "GET /situations/{situation_id:uuid}/close": OPENS,
    "POST /situations/{situation_id:uuid}/close": OPENS,
    "GET /situations/{situation_id:uuid}/rounds/new": ASKS,
    "POST /situations/{situation_id:uuid}/rounds/new": ASKS,
    "GET /situations/{situation_id:uuid}/crossed": EVERYBODY,
    "GET /situations/{situation_id:uuid}/who-can": EVERYBODY,
    "GET /situations/{situation_id:uuid}/who-can.csv": EVERYBODY,
    "GET /situations/{situation_id:uuid}/aid": EVERYBODY,
    "POST /situations/{situation_id:uuid}/aid": ASKS,
    # notify
    "GET /guidance": READS_GUIDANCE,
    "GET /guidance/new": WRITES,
    "POST /guidance/new": WRITES,
    "GET /guidance/{guidance_id}": READS_GUIDANCE,
    "GET /guidance/{guidance_id}/live": READS_GUIDANCE,
    "GET /guidance/{guidance_id}/edit": WRITES,
    "POST /guidance/{guidance_id}/edit": WRITES,
    "POST /guidance/{guidance_id}/submit": WRITES,
    "POST /guidance/{guidance_id}/approve": APPROVES,
}
"""Method and path of the route, and the roles that may pass; all others get 403, whoever is not signed in is led to
the sign-in page."""

MAY_ASK: dict[str, str] = {
    "GET /api/v1/associations": "registry:read",
    "GET /api/v1/associations/{association_id}": "registry:read",
    "GET /api/v1/rounds": "registry:read",
    "POST /api/v1/rounds/{round_id}/checkins": "checkin:write",
    "GET /api/v1/openapi.json": "",
}
"""Method and path of the partners' API, and the scope that the key must have (none: no key is asked for)."""
