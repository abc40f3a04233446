{#- Seconds from one moment to another, null where one is missing. -#}
{% macro seconds_between(first, last) -%}
    cast(extract(epoch from {{ last }}) - extract(epoch from {{ first }}) as bigint)
{%- endmacro %}

{#- The UTC day of a moment. -#}
{% macro utc_date(column) -%}
    cast({{ column }} at time zone 'UTC' as date)
{%- endmacro %}
