"""Columns of a model lead to the columns that they are made of."""

import pytest
from sqlglot.errors import SqlglotError

from platform_assets.dbt.column_lineage import Column, column_lineage

TABLES = {"crm": {"deals": {"id": "text", "value": "text", "stage_id": "text"}, "stages": {"id": "text", "p": "text"}}}


def test_expressions_joins_and_subqueries_lead_to_the_tables() -> None:
    sql = """
        with won as (select id as deal_id, value * 2 as twice, stage_id from "db"."crm"."deals")
        select won.deal_id, won.twice * stages.p as weighted, count(*) as n
        from won left join (select * from "db"."crm"."stages") as stages on won.stage_id = stages.id
    """
    found = column_lineage(sql, ["deal_id", "weighted", "n"], TABLES, "duckdb")
    assert found == {
        "deal_id": [Column("crm", "deals", "id")],
        "weighted": [Column("crm", "deals", "value"), Column("crm", "stages", "p")],
    }


def test_sql_that_cannot_be_read_is_an_error_of_sqlglot() -> None:
    with pytest.raises(SqlglotError):
        column_lineage("select from where", ["x"], TABLES, "duckdb")
