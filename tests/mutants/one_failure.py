"""Plugin of pytest: hypothesis looks for one failing example, the same ones in each run, and does not shrink it."""

from hypothesis import Phase, settings

settings.register_profile(
    "one_failure",
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile("one_failure")
