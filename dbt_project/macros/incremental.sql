{#- Condition of an incremental model that counts rows by day: the days on which `relation` is not what was counted.

    A day is counted again where the number of its rows, or the sum of when they were loaded, differs. Newer load
    times alone would not do: of two runs at once, the one that read first may land last. `day` is an expression on
    `relation`'s columns; the model keeps `day_column`, `rows_column` and `loaded_checksum` (see `loaded_checksum`). -#}
{% macro in_changed_days(relation, day, day_column, rows_column) -%}
    {% if is_incremental() -%}
        {{ day }} in (
            select source_days.day
            from (
                select
                    {{ day }} as day,
                    count(*) as counted,
                    {{ loaded_checksum() }} as loaded_checksum
                from {{ relation }}
                group by {{ day }}
            ) as source_days
            left join (
                select
                    {{ day_column }} as day,
                    sum({{ rows_column }}) as counted,
                    sum(loaded_checksum) as loaded_checksum
                from {{ this }}
                group by {{ day_column }}
            ) as counted_days on source_days.day = counted_days.day
            where
                counted_days.day is null
                or source_days.counted <> counted_days.counted
                or source_days.loaded_checksum <> counted_days.loaded_checksum
        )
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}

{#- Sum of the microseconds at which the rows of a group were loaded. -#}
{% macro loaded_checksum() -%}
    sum(cast(extract(epoch from last_seen_at) * 1000000 as {{ dbt.type_numeric() }}))
{%- endmacro %}
