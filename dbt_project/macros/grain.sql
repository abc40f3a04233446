{#- Passes when no two rows of the model agree on all of `columns`. -#}
{% test one_row_per(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
