"""Register file schema: the tables of the files on their way into the register."""

from services.intake.schema import IntakeTable
from shared.uploads import UploadColumns, UploadPartColumns, UploadProblemColumns, UploadTables


class Upload(UploadColumns, IntakeTable, table=True):
    """A register file."""

    __tablename__ = "upload"


class UploadPart(UploadPartColumns, IntakeTable, table=True):
    """A piece of it."""

    __tablename__ = "upload_part"


class UploadProblem(UploadProblemColumns, IntakeTable, table=True):
    """A row of it that cannot be taken."""

    __tablename__ = "upload_problem"


UPLOADS = UploadTables(Upload, UploadPart, UploadProblem)
