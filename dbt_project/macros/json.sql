{#- A scalar inside a JSON column as text; null where the path leads nowhere. `path` is dotted: `organization.slug`. -#}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text')(column, path)) }}
{%- endmacro %}

{% macro default__json_text(column, path) -%}
    json_extract_string("{{ column }}", '$.{{ path }}')
{%- endmacro %}

{% macro postgres__json_text(column, path) -%}
    (cast("{{ column }}" as jsonb) #>> '{ {{- path | replace('.', ',') -}} }')
{%- endmacro %}

{#- Length of a JSON array; 0 for null and for what is no array. -#}
{% macro json_length(column) -%}
    {{ return(adapter.dispatch('json_length')(column)) }}
{%- endmacro %}

{% macro default__json_length(column) -%}
    cast(coalesce(json_array_length("{{ column }}"), 0) as bigint)
{%- endmacro %}

{% macro postgres__json_length(column) -%}
    cast(
        case
            when jsonb_typeof(cast("{{ column }}" as jsonb)) = 'array'
                then jsonb_array_length(cast("{{ column }}" as jsonb))
            else 0
        end as bigint
    )
{%- endmacro %}

{#- From clause: the rows of `relation`, once per element of its JSON array column, as `element` (JSON) and
    `position` (from 1). Rows without elements vanish. -#}
{% macro json_elements(relation, column) -%}
    {{ return(adapter.dispatch('json_elements')(relation, column)) }}
{%- endmacro %}

{% macro default__json_elements(relation, column) -%}
    (
        select
            *,
            unnest(json_extract("{{ column }}", '$[*]')) as element,
            generate_subscripts(json_extract("{{ column }}", '$[*]'), 1) as position
        from {{ relation }}
    )
{%- endmacro %}

{% macro postgres__json_elements(relation, column) -%}
    (
        select
            parent.*,
            elements.element,
            elements.position
        from {{ relation }} as parent
        cross join
            lateral jsonb_array_elements(
                case
                    when jsonb_typeof(cast(parent."{{ column }}" as jsonb)) = 'array'
                        then cast(parent."{{ column }}" as jsonb)
                    else '[]'
                end
            ) with ordinality as elements (element, position)
    )
{%- endmacro %}

{#- A JSON value that is a scalar, as text without quotes. -#}
{% macro json_scalar(column) -%}
    {{ return(adapter.dispatch('json_scalar')(column)) }}
{%- endmacro %}

{% macro default__json_scalar(column) -%}
    ("{{ column }}" ->> '$')
{%- endmacro %}

{% macro postgres__json_scalar(column) -%}
    (cast("{{ column }}" as jsonb) #>> '{}')
{%- endmacro %}

{#- From clause: the rows of `relation`, once per entry of its JSON object column, as `entry_key` (text) and
    `entry_value` (text; nested values as JSON). -#}
{% macro json_entries(relation, column) -%}
    {{ return(adapter.dispatch('json_entries')(relation, column)) }}
{%- endmacro %}

{% macro default__json_entries(relation, column) -%}
    (
        select
            * exclude (keys),
            json_extract_string("{{ column }}", '$."' || entry_key || '"') as entry_value
        from (
            select
                *,
                json_keys("{{ column }}") as keys,
                unnest(json_keys("{{ column }}")) as entry_key
            from {{ relation }}
        ) as keyed
    )
{%- endmacro %}

{% macro postgres__json_entries(relation, column) -%}
    (
        select
            parent.*,
            entries.key as entry_key,
            entries.value #>> '{}' as entry_value
        from {{ relation }} as parent
        cross join
            lateral jsonb_each(
                case
                    when jsonb_typeof(cast(parent."{{ column }}" as jsonb)) = 'object'
                        then cast(parent."{{ column }}" as jsonb)
                    else '{}'
                end
            ) as entries
    )
{%- endmacro %}
