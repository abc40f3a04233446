{#- Interpolated percentile of a column; nulls do not count. Both dialects speak the standard's words. -#}
{% macro percentile(column, fraction) -%}
    percentile_cont({{ fraction }}) within group (order by {{ column }})
{%- endmacro %}
