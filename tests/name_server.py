"""A name server on a free port of this machine, which answers as it is told or not at all."""

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SILENCE = "silence"


@dataclass
class NameServer:
    """It serves the records of "name TYPE". SILENCE among them leaves a question unanswered; all else is not there."""

    port: int = 0
    zone: Mapping[str, Sequence[str]] = field(default_factory=dict)


@contextmanager
def name_server() -> Iterator[NameServer]:
    """A name server with an empty zone."""
    known = NameServer()

    class Answering(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            question = dns.message.from_wire(self.request[0])
            asked = question.question[0]
            name, kind = str(asked.name).rstrip("."), asked.rdtype.name
            records = known.zone.get(f"{name} {kind}", ())
            if SILENCE in records:
                return
            answer = dns.message.make_response(question)
            answer.flags |= dns.flags.RA
            if records:
                answer.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, records))
            elif not any(one.startswith(f"{name} ") for one in known.zone):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self.request[1].sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            known.port = server.server_address[1]
            yield known
        finally:
            server.shutdown()
            serving.join()
