{#- Schemas are `staging` and `marts`, not dbt's `<target schema>_staging`: others rely on the names. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name is not none else target.schema }}
{%- endmacro %}
