// All cells of a store; see summary.hpp.
#include "analysis/summary.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "analysis/cell_scan.hpp"
#include "analysis/rate_statement.hpp"
#include "analysis/stopping_statement.hpp"
#include "statistics/binomial_test.hpp"

namespace limrisk {
namespace {

CellSummary scan(const Store& store, const CellConfig& cell, ScanContext& context) {
    if (store.contents() == StoreContents::Trials) return scan_trials(store, cell, context);
    const std::vector<StoredAggregate> parts = store.aggregates(cell.index);
    const bool begun = !parts.empty() && parts.front().key.first_trial == 0;
    const Aggregate aggregate = begun ? parts.front().aggregate : Aggregate{};
    CellSummary summary = scan_aggregate(aggregate, cell, context);
    enter_stopping(summary, counted_sum(store, cell.index, aggregate));
    return summary;
}

/// False alarms among stores whose trials follow the law.
constexpr double law_level = 0.01;

/// Sweeps share their initial networks, so the tests of the cells depend on each other: Holm's adjustment holds all the same.
void reject_laws(std::vector<CellSummary>& cells) {
    std::vector<double> p_values;
    for (const CellSummary& cell : cells) p_values.push_back(cell.prediction.test ? cell.prediction.test->p_value : 1);
    p_values = holm_adjusted(p_values);
    for (std::size_t k = 0; k < cells.size(); ++k) cells[k].prediction.rejected = p_values[k] < law_level;
}

}  // namespace

std::vector<CellConfig> configs_of(const std::vector<CellSummary>& cells) {
    std::vector<CellConfig> configs;
    for (const CellSummary& cell : cells) configs.push_back(cell.cell);
    return configs;
}

double seen_falling(const CellSummary& cell) { return cell.cell.tail == 1 ? 0 : still_falling(cell); }

double still_falling(const CellSummary& cell) {
    if (cell.done == 0) return 0;
    return static_cast<double>(cell.verdicts[static_cast<std::size_t>(Verdict::Budget)]) / static_cast<double>(cell.done);
}

bool StoreSummary::ends_early() const {
    return std::any_of(cells.begin(), cells.end(), [](const CellSummary& cell) { return cell.cell.stop.any(); });
}

bool StoreSummary::has_averages() const {
    return std::any_of(cells.begin(), cells.end(), [](const CellSummary& cell) { return cell.cell.has_average(); });
}

bool StoreSummary::has_average_validation() const {
    return std::any_of(cells.begin(), cells.end(),
                       [](const CellSummary& cell) { return cell.cell.has_average() && cell.cell.has_validation(); });
}

bool StoreSummary::has_validation() const {
    return std::any_of(cells.begin(), cells.end(), [](const CellSummary& cell) { return cell.cell.has_validation(); });
}

bool StoreSummary::follows_kinks() const {
    return std::any_of(cells.begin(), cells.end(), [](const CellSummary& cell) { return cell.cell.kinks; });
}

bool StoreSummary::has_drawn_predictions() const {
    return std::any_of(cells.begin(), cells.end(), [](const CellSummary& cell) { return cell.prediction.is_drawn(); });
}

bool StoreSummary::has_squares_only() const {
    return std::all_of(cells.begin(), cells.end(), [](const CellSummary& cell) { return cell.cell.has_squared_loss(); });
}

bool StoreSummary::violated() const {
    return std::any_of(cells.begin(), cells.end(), [](const CellSummary& cell) {
        return std::any_of(cell.checks.begin(), cell.checks.end(), [](const TheoryCheck& check) { return check.violated > 0; });
    });
}

StoreSummary summarize(const Store& store, double tolerance, const Pool& pool) {
    StoreSummary summary;
    summary.campaign = store.campaign();
    summary.contents = store.contents();
    summary.tolerance = tolerance;
    for (const StoredDocument& document : store.documents(document_kind::backend)) summary.backends.push_back(document.id);
    KnownOptima optima(store);
    ScanContext context{optima, tolerance};
    context.pool = pool;
    // Once more if a trial beat an optimum: cells before it were held against the old one.
    for (std::size_t beaten = 0;;) {
        summary.cells.clear();
        for (const CellConfig& cell : store.cells()) summary.cells.push_back(scan(store, cell, context));
        if (optima.warnings().size() == std::exchange(beaten, optima.warnings().size())) break;
    }
    summary.warnings = optima.warnings();
    for (const CellSummary& cell : summary.cells) summary.stored_numbers.push_back(store.stored_number(cell.cell.index));
    if (std::ranges::equal(summary.stored_numbers, summary.cells, {}, {}, [](const CellSummary& cell) { return cell.cell.index; }))
        summary.stored_numbers.clear();
    for (const BlockKey& key : store.blocks()) summary.cells[static_cast<std::size_t>(key.cell)].stored += key.count;
    for (CellSummary& cell : summary.cells)
        if (cell.stopping && cell.stopping->finished) cell.stored = cell.done;
    const LimitScan limits(store, pool);
    const ValleyScan valleys(store, pool);
    for (CellSummary& cell : summary.cells) {
        cell.limits = limits.statement(cell.cell, cell.done, cell.stopping.has_value());
        cell.valleys = valleys.statement(cell.cell, optima, cell.done, cell.stopping.has_value());
    }
    for (CellSummary& cell : summary.cells)
        if (const auto pooled = pool.find(cell.cell.id); pooled != pool.end()) cell.pooled = pooled->second;
    reject_laws(summary.cells);
    std::tie(summary.rates, summary.no_rates) = rate_statements(summary.cells);
    std::tie(summary.strata, summary.no_strata) = strata_statements(summary.cells, optima);
    return summary;
}

}  // namespace limrisk
