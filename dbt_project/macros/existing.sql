{# Those of some (name, relation) pairs whose table exists: a platform that was never loaded has none. All of them if
   none exists, so that the error names a table. In a unit test the relations are its own, without a schema. #}
{% macro existing(pairs) %}
    {% set found = [] %}
    {% if execute %}
        {% for name, relation in pairs %}
            {% if relation.schema is none or load_relation(relation) is not none %}
                {% do found.append((name, relation)) %}
            {% endif %}
        {% endfor %}
    {% endif %}
    {{ return(found or pairs) }}
{% endmacro %}
