// SQLite's pages hold 4092 bytes of a blob that is longer than a page; what a block wastes of its last page is half a page.
#include "store/size_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "aggregation/aggregate.hpp"
#include "campaign/block_size.hpp"
#include "campaign/optional_columns.hpp"
#include "limrisk/trial_fields.hpp"
#include "store/block_columns.hpp"
#include "store/parameter_columns.hpp"

namespace limrisk {
namespace {

constexpr double page = 4096, page_content = 4092;
/// The schema with its views, and the constants of the view `trials`.
constexpr double empty_store = 120e3, empty_summary_store = 40e3;
/// Keys, hash and header of a row, and its entry in the index.
constexpr double row = 150;
/// Distinct bins of a risk over the trials of a cell: fitted to stores of networks that are hardly trained, whose risks spread most.
double risk_bins(double trials) { return std::min(trials, 180 * std::pow(trials, 0.3)); }

double trial_bytes(const Campaign& campaign) {
    double bytes = 0;
    const BlockFields chosen{have_last_steps(campaign.cells), have_average_fields(campaign.cells), have_validation(campaign.cells),
                             have_average_validation(campaign.cells), follow_kinks(campaign.cells)};
    for (const TrialField& field : block_fields(chosen)) bytes += static_cast<double>(field_size(field.type));
    return bytes;
}

/// Of a row with so many bytes in blobs.
double row_bytes(double blobs) {
    const double bytes = blobs + row;
    return bytes < page / 4 ? bytes : bytes * page / page_content + page / 2;
}

/// With so many bytes a trial.
double blocks_bytes(double trials, double block_trials, double trial) {
    const double full = std::floor(trials / block_trials), rest = trials - full * block_trials;
    const auto block = [trial](double count) { return row_bytes(count * trial); };
    return full * block(block_trials) + (rest > 0 ? block(rest) : 0);
}

double aggregate_bytes(double trials, double width) {
    constexpr double bin = 12;  // key and count
    return row + page / 2 +
           bin * (static_cast<double>(risk_fields.size()) * risk_bins(trials) +
                  static_cast<double>(count_fields.size()) * std::min(trials, width + 1));
}

}  // namespace

double estimated_parameter_bytes(const Campaign& campaign) {
    double bytes = 0;
    for (std::size_t k = 0; k < campaign.cells.size(); ++k) {
        const CellConfig& cell = campaign.cells[k];
        if (!campaign.keep.any()) break;
        const std::int64_t block = kept_block_trials(cell, campaign.keep, block_trials(cell));
        const std::int64_t whole = campaign.trials_of(k) / block, rest = campaign.trials_of(k) % block;
        const auto kinds = static_cast<double>(campaign.keep.count());
        const double of_trial = static_cast<double>(kept_trial_bytes(cell, campaign.keep)) / kinds;
        bytes += kinds * (static_cast<double>(whole) * row_bytes(static_cast<double>(block) * of_trial) +
                          (rest > 0 ? row_bytes(static_cast<double>(rest) * of_trial) : 0));
    }
    return bytes;
}

double estimated_store_bytes(const Campaign& campaign) {
    const bool summary = campaign.store == StoreContents::Summary;
    double bytes = (summary ? empty_summary_store : empty_store) + static_cast<double>(campaign.text.size());
    const double of_trial = trial_bytes(campaign);
    bytes += estimated_parameter_bytes(campaign);
    std::set<std::string> copies;
    for (std::size_t k = 0; k < campaign.cells.size(); ++k) {
        const CellConfig& cell = campaign.cells[k];
        const auto trials = static_cast<double>(campaign.trials_of(k));
        if (cell.has_given_points() && copies.insert(cell.data->hash).second) bytes += static_cast<double>(cell.data->text.size());
        if (cell.has_validation() && copies.insert(cell.data->validation->hash).second)
            bytes += static_cast<double>(cell.data->validation->text.size());
        if (cell.has_start() && copies.insert(cell.start->hash).second) bytes += static_cast<double>(cell.start->text.size());
        bytes += static_cast<double>(cell.description.size() + 2 * cell.id.size()) + row;
        bytes += summary ? aggregate_bytes(trials, static_cast<double>(cell.width))
                         : blocks_bytes(trials, static_cast<double>(kept_block_trials(cell, campaign.keep, block_trials(cell))), of_trial);
    }
    return bytes;
}

}  // namespace limrisk
