// Rows are aggregated in portions, so that both kinds of store have the same histograms.
#include "analysis/cell_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/average_scan.hpp"
#include "analysis/early_ends.hpp"
#include "analysis/kink_scan.hpp"
#include "analysis/level_bins.hpp"
#include "analysis/level_scan.hpp"
#include "analysis/prediction.hpp"
#include "analysis/stopping_statement.hpp"
#include "analysis/validation_scan.hpp"
#include "optimum/optimum.hpp"
#include "optimum/positive_risk.hpp"
#include "optimum/true_risk.hpp"

namespace limrisk {

namespace opt = limrisk::optimum;

namespace {

/// Records that are aggregated together.
constexpr std::size_t portion = 1 << 16;

double mean(const Histogram& histogram, std::int64_t trials) {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < histogram.keys.size(); ++k) sum += histogram.keys[k] * histogram.counts[k];
    return static_cast<double>(sum) / static_cast<double>(trials);
}

std::int64_t trials_with_at_least(const Histogram& histogram, std::int64_t key) {
    std::int64_t trials = 0;
    for (std::size_t k = 0; k < histogram.keys.size(); ++k) trials += histogram.keys[k] >= key ? histogram.counts[k] : 0;
    return trials;
}

const KnownProblem& known_of(const CellConfig& cell, const ScanContext& context) {
    static const KnownProblem nothing;
    return cell.has_searchable_optimum() ? context.optima.of(cell) : nothing;
}

/// The local minima of the cell's width; null if the store has none, or they are not those of its trials.
const std::vector<opt::Level>* catalog_of(const CellConfig& cell, const KnownProblem& known) {
    const auto found = cell.trains_all() ? known.catalogs.find(cell.width) : known.catalogs.end();
    return found == known.catalogs.end() ? nullptr : &found->second;
}

/// What has been proved of narrower networks, and how many neurons must be frozen to leave only such.
Exclusion exclusion_of(const CellConfig& cell) {
    if (cell.width == 0) return {std::nullopt, "the network has no neurons"};
    if (cell.has_start()) return {std::nullopt, "the parameters at the start are given, not drawn"};
    if (!cell.keeps_frozen_neurons()) return {std::nullopt, why_none_freezes(cell)};
    if (cell.has_own_points()) return {std::nullopt, "every trial has data points of its own"};
    if (!cell.outer_bias) return {std::nullopt, "nothing is proved of networks without an outer bias"};
    if (cell.skip) return {std::nullopt, "nothing is proved of networks with a skip connection"};
    if (!kernels::gains_by_every_neuron(cell.loss.kind))
        return {std::nullopt, fmt::format("under the loss {} a wider network need not be better", cell.loss_label)};
    // Points that share an input have their mean in its place, which is what squares ask for.
    if (cell.has_data() && !cell.has_squared_loss())
        return {std::nullopt, fmt::format("no proof for data points under the loss {}", cell.loss_label)};
    const auto positive = opt::positive_risk(opt::problem_of(cell), cell.width - 1);
    if (!positive) return {std::nullopt, "no proof that a smaller width cannot reach the optimum"};
    return {cell.width - positive->width, fmt::format("no width up to {} reaches the optimum: {}", positive->width, positive->proof)};
}

std::vector<Floor> floors_of(const CellConfig& cell, const KnownProblem& known, const Histogram& frozen) {
    std::vector<Floor> floors;
    if (!cell.keeps_frozen_neurons()) return floors;
    for (std::size_t k = 0; k < frozen.keys.size(); ++k) {
        Floor floor{frozen.keys[k], frozen.counts[k], std::nullopt, std::nullopt};
        if (const auto optimum = known.optimum(cell.width - frozen.keys[k])) {
            floor.risk = optimum->risk;
            floor.lower_bound = optimum->lower_bound;
        }
        floors.push_back(floor);
    }
    return floors;
}

std::vector<EmbeddedLevel> hierarchy_of(const CellConfig& cell, const KnownProblem& known, const TargetMoments& target) {
    std::vector<EmbeddedLevel> levels;
    if (!cell.trains_all()) return levels;  // these are local minima with respect to all parameters
    for (const auto& [width, optimum] : known.optima)
        if (width <= cell.width && (levels.empty() || opt::clearly_below(optimum.risk, levels.back().risk, rounding_scale(target))))
            levels.push_back({width, optimum.risk});
    return levels;
}

/// The risk of the stored optimum's network as a check of this cell measures it.
std::optional<double> seen_at_checks(const CellConfig& cell, const KnownOptimum& optimum) {
    const opt::Network network{cell.width, cell.input.dimension, optimum.parameters, cell.skip};
    const bool whole = static_cast<std::int64_t>(optimum.parameters.size()) == cell.parameter_count();
    if (!whole || !optimum.beaten_by.empty()) return std::nullopt;
    return opt::TrueRisk(opt::problem_of(cell), nodes_of_checks(cell))(network);
}

/// Everything that the aggregate and what is known of the problem say; measured: with the counts of the bins.
CellSummary summary_of(const Aggregate& aggregate, const CellConfig& cell, const KnownProblem& known, const TargetMoments& target,
                       double tolerance) {
    CellSummary summary;
    summary.cell = cell;
    summary.aggregate = aggregate;
    summary.done = aggregate.trials;
    summary.optimum = known.optimum(cell.width);
    summary.exclusion = exclusion_of(cell);
    if (const auto least = summary.exclusion.least) {
        summary.certified = trials_with_at_least(aggregate.frozen_initial, *least);
        summary.certified_share = clopper_pearson(summary.certified, summary.done);
    }
    summary.prediction = predict(cell, summary.exclusion.least, aggregate.frozen_initial);
    summary.hierarchy = hierarchy_of(cell, known, target);
    summary.floors = floors_of(cell, known, aggregate.frozen_initial);
    if (aggregate.trials == 0) return summary;
    summary.mean_inactive_initial = mean(aggregate.inactive_initial, aggregate.trials);
    summary.mean_inactive_final = mean(aggregate.inactive_final, aggregate.trials);
    summary.died = aggregate.died;
    summary.revived = aggregate.revived;
    for (std::size_t v = 0; v < summary.verdicts.size(); ++v)
        summary.verdicts[v] = aggregate.verdict.count_of(static_cast<std::int32_t>(v));
    summary.final_risk = quantiles(aggregate.final_risk, aggregate.trials);
    summary.limiting_risk = quantiles(limiting_risks(aggregate), aggregate.trials);
    summary.best_risk = aggregate.best_risk.minimum.risk;
    summary.best_trial = aggregate.best_risk.minimum.trial;
    if (!summary.optimum) return summary;
    Measured measured;
    measured.optimum = summary.optimum->risk;
    measured.threshold = missed_above(measured.optimum, risk_scale(target), tolerance);
    const Histogram& bins = limiting_risks(aggregate).bins;
    for (std::size_t k = 0; k < bins.keys.size(); ++k) {
        const RiskRange range = risk_bin_range(bins.keys[k]);
        measured.above_least += range.low > measured.threshold ? bins.counts[k] : 0;
        measured.above_most += range.high > measured.threshold ? bins.counts[k] : 0;
    }
    measured.best_ratio = summary.best_risk == measured.optimum ? 1 : summary.best_risk / measured.optimum;
    measured.seen_at_checks = seen_at_checks(cell, *summary.optimum);
    const double error = measured.error_at_checks();
    if (measured.has_coarse_checks())
        for (std::size_t k = 0; k < bins.keys.size(); ++k) {
            const RiskRange range = risk_bin_range(bins.keys[k]);
            measured.undecided += std::max(range.low - measured.threshold, measured.threshold - range.high) < error ? bins.counts[k] : 0;
        }
    summary.measured = measured;
    return summary;
}

void close_measured(CellSummary& summary) {
    if (!summary.measured) return;
    Measured& measured = *summary.measured;
    measured.share = {clopper_pearson(measured.above_least, summary.done).low, clopper_pearson(measured.above_most, summary.done).high};
}

/// What is asked of all trials of a cell once the first look at them is over.
struct SeenTrial {
    double final_risk, limiting_risk;
    bool converged, stopped;
};

SeenTrial seen(const TrialRecord& record) {
    return {record.final_risk, limiting_risk(record), record.verdict == Verdict::Converged, record.verdict == Verdict::Stopped};
}

/// The same of the fields that only some cells have.
struct SeenFurther {
    double average_risk, validation_risk, best_validation_risk, average_validation_risk, kink_displacement;
};

SeenFurther seen_further(const TrialRecord& record) {
    return {record.average_risk, record.validation_risk, record.best_validation_risk, record.average_validation_risk,
            record.kink_displacement};
}

/// The trials of a cell that count, to be visited again: from memory, or where they are too many from the store.
class SeenTrials {
public:
    SeenTrials(const Store& store, const CellConfig& cell, std::int64_t most)
        : store_(store),
          cell_(cell.index),
          has_further_(cell.has_average() || cell.has_validation() || cell.kinks),
          most_(has_further_ ? most / 2 : most) {}
    void add(const TrialRecord& record) {
        ++count_;
        if (count_ > most_) {
            kept_ = {};
            further_ = {};
            return;
        }
        kept_.push_back(seen(record));
        if (has_further_) further_.push_back(seen_further(record));
    }
    std::int64_t count() const { return count_; }
    template <class Visit>
    void visit(Visit visit) const {
        if (count_ <= most_) {
            for (std::size_t k = 0; k < kept_.size(); ++k) visit(kept_[k], has_further_ ? further_[k] : SeenFurther{});
            return;
        }
        std::int64_t left = count_;
        store_.for_each_block(cell_, [&](const BlockKey&, const std::vector<TrialRecord>& records) {
            for (const TrialRecord& record : records)
                if (left-- > 0) visit(seen(record), seen_further(record));
            return left > 0;
        });
    }

private:
    const Store& store_;
    const std::int64_t cell_;
    const bool has_further_;
    const std::int64_t most_;
    std::int64_t count_ = 0;
    std::vector<SeenTrial> kept_;       ///< [count_], or none
    std::vector<SeenFurther> further_;  ///< the same, of a cell that has them
};

/// Finds the exact quantiles, the medians of the levels, and how many trials are above the threshold of the optimum. Returns how many of
/// them `stop` had ended. The first `pilot` trials are a pilot.
std::int64_t look_again(const SeenTrials& trials, std::int64_t pilot, CellSummary& summary, LevelScan& levels, AverageScan& averages,
                        ValidationScan& validation, KinkScan& kinks) {
    std::vector<RankSearch> finals = quantile_searches(summary.aggregate.final_risk, summary.done),
                            limits = quantile_searches(limiting_risks(summary.aggregate), summary.done);
    std::vector<RankSearch>& medians = levels.medians();
    std::int64_t looked_at = 0, above = 0, pilot_above = 0, stopped_above = 0;
    for (QuantileScan* scan :
         {&averages.risks(), &averages.validation_risks(), &validation.risks(), &validation.best_risks(), &kinks.displacements()})
        if (scan->trials() > 0) scan->begin();
    std::vector<RankSearch>&of_averages = averages.risks().searches(), &of_validation = validation.risks().searches(),
    &of_best = validation.best_risks().searches(), &validation_of_averages = averages.validation_risks().searches(),
    &of_kinks = kinks.displacements().searches();
    const auto for_searches = [&](auto act) {
        for (std::vector<RankSearch>* searches :
             {&finals, &limits, &medians, &of_averages, &of_validation, &of_best, &validation_of_averages, &of_kinks})
            for (RankSearch& search : *searches) act(search);
    };
    for (bool first = true, all_done = false; first || !all_done; first = false) {
        trials.visit([&](const SeenTrial& trial, const SeenFurther& further) {
            for (RankSearch& search : finals) search.add(trial.final_risk);
            for (RankSearch& search : limits) search.add(trial.limiting_risk);
            if (trial.converged)
                for (RankSearch& search : medians) search.add(trial.limiting_risk);
            for (RankSearch& search : of_averages) search.add(further.average_risk);
            for (RankSearch& search : of_validation) search.add(further.validation_risk);
            for (RankSearch& search : of_best) search.add(further.best_validation_risk);
            for (RankSearch& search : of_kinks) search.add(further.kink_displacement);
            if (further.average_validation_risk >= 0)
                for (RankSearch& search : validation_of_averages) search.add(further.average_validation_risk);
            if (!first || !summary.measured) return;
            ++looked_at;
            averages.compare(further.average_risk, trial.final_risk, summary.measured->threshold);
            if (!(trial.limiting_risk > summary.measured->threshold)) return;
            ++above;
            pilot_above += looked_at <= pilot ? 1 : 0;
            stopped_above += trial.stopped;
        });
        all_done = true;
        for_searches([&](RankSearch& search) {
            search.end_pass();
            all_done = all_done && search.done();
        });
    }
    enter_quantiles(summary.final_risk, finals);
    enter_quantiles(summary.limiting_risk, limits);
    if (summary.measured) {
        summary.measured->above_least = summary.measured->above_most = above;
        summary.measured->pilot_above = pilot_above;
    }
    return stopped_above;
}

}  // namespace

CellSummary scan_trials(const Store& store, const CellConfig& cell, ScanContext& context) {
    const KnownProblem& known = known_of(cell, context);
    const TargetMoments moments = moments_at_checks(cell);
    LevelScan levels(cell, catalog_of(cell, known), zero_risk(moments));
    TheoryScan theory(cell, known, moments);
    EarlyEndScan early_ends(cell);
    AverageScan averages(cell);
    ValidationScan validation(cell);
    KinkScan kinks(cell);
    Aggregate aggregate;
    std::vector<TrialRecord> records;
    const auto flush = [&](std::int64_t end) {
        const auto count = static_cast<std::int64_t>(records.size());
        if (count > 0) aggregate = merge(aggregate, aggregate_records(records.data(), count, end - count));
        records.clear();
    };
    SeenTrials trials(store, cell, context.kept_trials);
    std::int64_t on_data = 0, constant = 0;
    std::map<std::int64_t, Extreme> best;  // by the neurons that take part
    const bool can_freeze = kernels::has_frozen_neurons(cell.activation.kind);
    const auto witness = [&](std::int64_t neurons, double risk, std::int64_t trial) {
        const auto [found, added] = best.try_emplace(neurons, Extreme{risk, trial});
        if (!added && risk < found->second.risk) found->second = {risk, trial};
    };
    const bool beside_strata = store.stopping() && store.stopping()->is_shared() && !cell.has_condition();
    const bool own_risk = beside_strata && store.stopping()->event == StoppingCriterion::Event::RiskAbove;
    std::int64_t above_own_risk = 0;
    const auto count = for_each_counted_trial(store, cell.index, [&](std::int64_t trial, const TrialRecord& record) {
        trials.add(record);
        if (own_risk) above_own_risk += store.stopping()->outcome(record);
        on_data += record.inactive_on_data;
        constant += record.constant;
        levels.add(record);
        theory.add(trial, record);
        early_ends.add(record);
        averages.add(record);
        validation.add(record);
        kinks.add(record);
        // A neuron that never moves has an average that is frozen, too.
        witness(cell.width - (cell.keeps_frozen_neurons() ? frozen_initial(record) : 0),
                std::min({record.best_risk, record.final_risk, record.average_risk}), trial);
        if (can_freeze) witness(cell.width - record.inactive_final - record.constant, record.final_risk, trial);
        records.push_back(record);
        if (records.size() == portion) flush(trial + 1);
    });
    flush(trials.count());
    for (const auto& [neurons, extreme] : best)
        context.optima.improve(cell, neurons, extreme.risk, rounding_scale(moments),
                               fmt::format("cell {}, trial {}{}", cell.index, extreme.trial, own_name(context.pool, cell, extreme.trial)));

    CellSummary summary = summary_of(aggregate, cell, known, moments, context.tolerance);
    if (beside_strata) {
        summary.wanted = store.stopping()->at_most;
        if (own_risk) summary.above_own_risk = above_own_risk;
    }
    summary.shared_before = !store.stopping() && summary.done != store.campaign().trials && was_shared_out(store, cell);
    const std::int64_t pilot = count ? count->criterion.pilot : 0;
    summary.early_ends = early_ends.statement(
        summary.done > 0 ? look_again(trials, pilot, summary, levels, averages, validation, kinks) : 0, count.has_value());
    close_measured(summary);
    summary.average = averages.statement(summary.measured, count.has_value());
    summary.validation = validation.statement(count.has_value());
    summary.kinks = kinks.statement(count.has_value());
    summary.checks = theory.checks();
    for (TheoryCheck& check : summary.checks)
        if (check.violated > 0) check.detail += own_name(context.pool, cell, check.first_trial);
    if (summary.done > 0) summary.levels = levels.statement();
    enter_stopping(summary, count);
    if (summary.done == 0) return summary;
    summary.mean_inactive_on_data = static_cast<double>(on_data) / static_cast<double>(summary.done);
    summary.mean_constant = static_cast<double>(constant) / static_cast<double>(summary.done);
    return summary;
}

CellSummary scan_aggregate(const Aggregate& aggregate, const CellConfig& cell, ScanContext& context) {
    const Extreme& best = aggregate.best_risk.minimum;
    const TargetMoments moments = moments_at_checks(cell);
    if (aggregate.trials > 0)
        context.optima.improve(cell, cell.width, best.risk, rounding_scale(moments),
                               fmt::format("cell {}, trial {}{}", cell.index, best.trial, own_name(context.pool, cell, best.trial)));
    const KnownProblem& known = known_of(cell, context);
    CellSummary summary = summary_of(aggregate, cell, known, moments, context.tolerance);
    close_measured(summary);
    if (const auto* catalog = catalog_of(cell, known); catalog != nullptr && summary.done > 0)
        summary.levels = binned_levels(aggregate.final_risk, summary.done, *catalog, zero_risk(moments));
    return summary;
}

}  // namespace limrisk
