"""A capacity plan: how many relays a scenario needs, and what would break first.

Four resources can run out: the relay's core while it streams, the same core while people pour in, the network
card, and open files. For each the plan asks how many relays it takes, over every second of every replication,
and plans on a quantile of the replications. The resource that asks for the most relays is the first
bottleneck. Costs come from a calibration and carry its interval through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.calibrate import TERMS, Calibration, Interval
from sim.experiment import Experiment, quantile_interval
from sim.relay import PACKETS_PER_S, CostModel
from sim.staffing import Staffing
from sim.validate import Validation
from sim.verdict import Verdict

Floats = NDArray[np.float64]

CPU, STORM, NIC, FILES = "relay CPU core", "join storm CPU", "NIC egress", "open files"


FAR = 4.0
"""Extrapolating beyond so many times the measured load is pointed out in the plan."""


class PlanError(ValueError):
    """A plan that cannot be made; the message is one sentence that says what is missing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one relay may use of each resource."""

    headroom: float = 0.65
    """Share of core and network card that a plan fills: 60-70 % leaves room for noise and a relay's loss."""
    storm: float = 0.9
    """Share of the core that may be busy in the seconds in which people pour in; above it joins queue (?)."""
    cores_per_relay: float = 1.0
    """One relay process has one media thread."""
    nic_mbit_s: float = 1000.0
    """Network card of a relay's machine (?)."""
    open_files: int = 20_000
    """Open files of the process that holds a listener's connection (?)."""
    files_per_listener: float = 1.0
    """The control connection; media of everybody share one UDP port."""

    def __post_init__(self) -> None:
        """Refuse what is no limit; :raises PlanError: which, in one sentence."""
        for name, value in asdict(self).items():
            most = 1.0 if name in ("headroom", "storm") else float("inf")
            if not (0 < value <= most and np.isfinite(value)):
                rule = "more than 0 and at most 1" if most == 1.0 else "more than 0"
                raise PlanError(f"the limit {name} is {value:g}; it must be {rule}")


@dataclass(frozen=True, slots=True)
class Need:
    """What one resource asks for."""

    resource: str
    relays: float
    """Relays it takes, as a fraction, at the planned quantile."""
    utilisation: float
    """Share of the resource used at its worst second with the planned relays; above the limit it breaks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to "how much do we need": counts are relays of one core each."""

    scenario: str
    seed: int
    scale: float
    quantile: float
    replications: int
    precise: bool
    peak_listeners: Interval
    peak_joins_s: Interval
    relays: int
    relays_low: int
    relays_high: int
    spare_relays: int
    cores: int
    egress_mbit_s: float
    first_bottleneck: str
    needs: tuple[Need, ...]
    listeners_per_core: Interval
    headroom: float
    extrapolation: float
    """Listeners planned per relay, as a multiple of the most that were measured."""
    listener_hours: float
    egress_gb: float
    """Mean over the replications, while somebody talks all the time."""
    calibration: Mapping[str, Any]
    validation: Validation | None
    run_id: str
    verdict: Verdict
    """Of the runs the cost was fitted to."""
    cautions: tuple[str, ...]
    limits: Limits
    moderators: Staffing | None
    """How many look at what is reported on an ordinary evening; None if nobody asked."""
    moderators_in_raid: Staffing | None
    """The same on an evening with a raid."""

    def to_json(self) -> dict[str, Any]:
        """Return plan.json: plain values, intervals beside the values they belong to."""
        tree = asdict(self)
        for name in ("peak_listeners", "peak_joins_s", "listeners_per_core"):
            value: Interval = getattr(self, name)
            tree[name] = round(value.value)
            tree[f"{name}_interval"] = [round(value.low), round(value.high)]
        tree["validation"] = self.validation.to_json() if self.validation else None
        for name in ("moderators", "moderators_in_raid"):
            staffing: Staffing | None = getattr(self, name)
            tree[name] = staffing.to_json() if staffing else None
        tree["verdict"] = {"valid": self.verdict.valid, "reasons": list(self.verdict.reasons)}
        return tree

    def table(self) -> list[tuple[str, str]]:
        """Return the plan as rows of (what, how much) for people to read."""
        peak, joins, each = self.peak_listeners, self.peak_joins_s, self.listeners_per_core
        rows = [
            ("scenario", f"{self.scenario} × {self.scale:g}" if self.scale != 1 else self.scenario),
            (
                f"peak listeners (quantile {self.quantile:.0%})",
                f"{peak.value:,.0f}  [{peak.low:,.0f}, {peak.high:,.0f}]",
            ),
            (f"peak joins a second (quantile {self.quantile:.0%})", f"{joins.value:,.0f}"),
            (
                "relays, one core each",
                f"{self.relays} + {self.spare_relays} spare  [{self.relays_low}, {self.relays_high}]",
            ),
            ("egress at the peak", f"{self.egress_mbit_s:,.0f} Mbit/s"),
            ("first bottleneck", self.first_bottleneck),
            (
                f"listeners a core at {self.headroom:.0%}",
                f"{each.value:,.0f}  [{each.low:,.0f}, {each.high:,.0f}]",
            ),
        ]
        rows += [
            (f"{need.resource} in use", f"{need.utilisation:.0%}  (asks for {need.relays:.2f} relays)")
            for need in self.needs
        ]
        rows += [
            ("to be paid for", f"{self.listener_hours:,.0f} listener-hours, {self.egress_gb:,.0f} GB"),
            ("planned load a relay / measured", f"{self.extrapolation:.1f}"),
        ]
        for what, staffing in (("moderators", self.moderators), ("moderators in a raid", self.moderators_in_raid)):
            if staffing:
                rows.append((what, staffing.sentence()))
        if self.validation:
            seen = self.validation
            rows.append(
                (
                    f"check at {seen.listeners:,} listeners, CPU",
                    f"measured {seen.measured:.3f}, predicted {seen.predicted:.3f} cores: off by {seen.error:.1%}",
                )
            )
        return rows


def make_plan(
    experiment: Experiment,
    calibration: Calibration,
    *,
    validation: Validation | None = None,
    limits: Limits | None = None,
    quantile: float = 0.95,
    moderators: Staffing | None = None,
    moderators_in_raid: Staffing | None = None,
    cautions: Sequence[str] = (),
) -> Plan:
    """Plan a scenario from its replications and a calibrated cost.

    ``cautions`` are sentences that the plan states beside its own. Raises PlanError if the calibration cannot say
    what a packet costs within a factor of two, or if one relay cannot even carry the stage.
    """
    limits = limits or Limits()
    model = calibration.model
    if not calibration.tight:
        packet = calibration.interval("packet_s")
        raise PlanError(
            f"the cost of a packet is only known to be {packet.low * 1e6:.2f} to {packet.high * 1e6:.2f} µs, "
            "too loose to extrapolate; measure longer steps or more of them"
        )
    needs = _needs(experiment, model, limits)
    wanted = {name: float(np.quantile(values, quantile)) for name, values in needs.items()}
    relays = max(1, int(np.ceil(max(wanted.values()))))
    spread = [
        _relays_for(experiment, _with(model, draw), limits, quantile) for draw in _thinned(calibration.draws)
    ]
    peak = Interval(*quantile_interval(experiment.peaks.astype(float), quantile))
    extrapolation = peak.value / relays / max(calibration.most_listeners, 1)
    joins = Interval(*quantile_interval(experiment.joins.max(axis=1).astype(float), quantile))
    each = model.listeners(limits.headroom * limits.cores_per_relay)
    draws = [_with(model, draw).listeners(limits.headroom * limits.cores_per_relay) for draw in calibration.draws]
    seconds_listened = float(experiment.listeners.sum(axis=1).mean())
    return Plan(
        scenario=experiment.scenario.name,
        seed=experiment.seed,
        scale=experiment.scale,
        quantile=quantile,
        replications=experiment.n,
        precise=experiment.precise,
        peak_listeners=peak,
        peak_joins_s=joins,
        relays=relays,
        relays_low=min(relays, *spread),
        relays_high=max(relays, *spread),
        spare_relays=1,
        cores=int(np.ceil(relays * limits.cores_per_relay)),
        egress_mbit_s=float(model.egress_mbit_s(peak.value)),
        first_bottleneck=max(wanted, key=lambda name: wanted[name]),
        needs=tuple(
            Need(name, share, _utilisation(name, share / relays, model, limits))
            for name, share in sorted(wanted.items(), key=lambda item: -item[1])
        ),
        listeners_per_core=Interval(each, *(float(end) for end in np.quantile(draws, [0.025, 0.975]))),
        headroom=limits.headroom,
        extrapolation=extrapolation,
        listener_hours=seconds_listened / 3600.0,
        egress_gb=float(model.egress_mbit_s(seconds_listened)) / 8000.0,
        calibration=calibration.to_json(),
        validation=validation,
        run_id=", ".join(calibration.runs),
        verdict=Verdict(True),  # a fit takes none but valid runs
        cautions=(*_cautions(experiment, extrapolation, validation), *cautions),
        limits=limits,
        moderators=moderators,
        moderators_in_raid=moderators_in_raid,
    )


def _needs(experiment: Experiment, model: CostModel, limits: Limits) -> dict[str, Floats]:
    """Return for each resource how many relays each replication takes, as a fraction: shape (n,)."""
    fixed = model.base_s + model.talker_s
    steady = limits.headroom * limits.cores_per_relay - fixed
    storm = limits.storm * limits.cores_per_relay - fixed
    if steady <= 0:
        raise PlanError(
            f"the stage alone takes {fixed:.2f} cores, "
            f"more than the {limits.headroom:.0%} of a relay that a plan may fill"
        )
    peaks = experiment.listeners.max(axis=1).astype(float)
    streaming = experiment.listeners * (PACKETS_PER_S * model.packet_s)
    pouring = streaming + experiment.joins * model.join_s
    return {
        CPU: streaming.max(axis=1) / steady,
        STORM: pouring.max(axis=1) / storm,
        NIC: model.egress_mbit_s(peaks) / (limits.headroom * limits.nic_mbit_s),
        FILES: peaks * limits.files_per_listener / (limits.storm * limits.open_files),
    }


def _utilisation(resource: str, filled: float, model: CostModel, limits: Limits) -> float:
    """Return the share of a resource in use when ``filled`` of what the plan allows is taken."""
    allowed = limits.headroom if resource in (CPU, NIC) else limits.storm
    if resource in (NIC, FILES):
        return filled * allowed
    fixed = (model.base_s + model.talker_s) / limits.cores_per_relay
    return fixed + filled * (allowed - fixed)


def _cautions(experiment: Experiment, extrapolation: float, validation: Validation | None) -> tuple[str, ...]:
    found: list[str] = []
    if not experiment.precise:
        found.append(f"{experiment.n} replications leave the mean peak less certain than was asked")
    if extrapolation > FAR:
        found.append(
            f"a relay is planned to carry {extrapolation:.1f} times the most listeners that were measured"
        )
    if validation is None:
        found.append("the prediction was not checked against a step the fit had not seen")
    elif not validation.low <= validation.measured <= validation.high:
        found.append(f"the check lies outside the predicted interval (off by {validation.error:.1%})")
    return tuple(found)


def _relays_for(experiment: Experiment, model: CostModel, limits: Limits, quantile: float) -> int:
    needs = _needs(experiment, model, limits).values()
    return max(1, int(np.ceil(max(float(np.quantile(values, quantile)) for values in needs))))


def _with(model: CostModel, draw: Floats) -> CostModel:
    drawn = {term: float(value) for term, value in zip(TERMS, draw, strict=True)}
    return CostModel(
        **drawn,
        bytes_per_packet=model.bytes_per_packet,
        talking=model.talking,
    )


def _thinned(draws: Floats) -> Floats:
    """Return the draws at the edges of the packet's and the join's cost, which is where relays differ."""
    order = [np.argsort(draws[:, TERMS.index(term)]) for term in ("packet_s", "join_s")]
    edges = [index[int(share * (len(index) - 1))] for index in order for share in (0.025, 0.25, 0.75, 0.975)]
    return draws[edges]
