{#- Whole seconds that passed from one moment to another, rounded down, null where one is missing. -#}
{% macro seconds_between(first, last) -%}
    cast(floor(extract(epoch from ({{ last }} - {{ first }}))) as bigint)
{%- endmacro %}

{#- The UTC day of a moment. -#}
{% macro utc_date(column) -%}
    cast({{ column }} at time zone 'UTC' as date)
{%- endmacro %}

{#- The moment that ages are measured at: now, or the variable `as_of` (an ISO timestamp), e.g. for a report of the past. -#}
{% macro as_of() -%}
    {% if var('as_of', none) %}cast('{{ var("as_of") }}' as timestamptz){% else %}current_timestamp{% endif %}
{%- endmacro %}
