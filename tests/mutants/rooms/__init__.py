"""The mutants, one module per room of the project; `MUTANTS` is all of them."""

from tests.mutants.mutant import Mutant
from tests.mutants.rooms import (
    arrow,
    configuration,
    dbt,
    declarations,
    extraction,
    http,
    importing,
    monitoring,
    orchestration,
    pagination,
    platform_files,
    sync,
    verification,
    warehouse,
)

MUTANTS: tuple[Mutant, ...] = (
    *arrow.MUTANTS,
    *configuration.MUTANTS,
    *dbt.MUTANTS,
    *declarations.MUTANTS,
    *extraction.MUTANTS,
    *http.MUTANTS,
    *importing.MUTANTS,
    *monitoring.MUTANTS,
    *orchestration.MUTANTS,
    *pagination.MUTANTS,
    *platform_files.MUTANTS,
    *sync.MUTANTS,
    *verification.MUTANTS,
    *warehouse.MUTANTS,
)
