"""Subscriber file schema: the tables of the files on their way in."""

from services.notify.schema import NotifyTable
from shared.uploads import UploadColumns, UploadPartColumns, UploadProblemColumns, UploadTables


class Upload(UploadColumns, NotifyTable, table=True):
    """A list of subscribers: `audience` where a row names none, and `basis`, why we may write to these people."""

    __tablename__ = "upload"

    audience: str
    basis: str


class UploadPart(UploadPartColumns, NotifyTable, table=True):
    """A piece of it."""

    __tablename__ = "upload_part"


class UploadProblem(UploadProblemColumns, NotifyTable, table=True):
    """A row of it that cannot be taken."""

    __tablename__ = "upload_problem"


UPLOADS = UploadTables(Upload, UploadPart, UploadProblem)
