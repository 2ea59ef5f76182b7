// A store of records made by hand and of optima that are known.
#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "campaign_fixture.hpp"
#include "optimum/optimum_json.hpp"
#include "optimum/problem.hpp"
#include "store/document_table.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {

/// x1^2 + 2*x1 on [0, 1]: mean 4/3, variance 34/45.
inline constexpr double variance = 34.0 / 45;

/// Cells of widths 1 and 2, each with SGD and Adam; optima 34/45 > 0.1 > 0.01, lower bounds half of those above width 0.
class StatementTest : public StoreTest {
protected:
    Store make(std::int64_t trials) {
        campaign_ = small_campaign(trials, 2);
        return Store::open_for_writing(path(), campaign_);
    }
    /// One cell instead, with this problem and activation.
    Store make(std::int64_t trials, std::int64_t width, const std::string& input, const std::string& target,
               const std::string& activation = "\"relu\"") {
        campaign_ = read_campaign({{2, "trials = " + std::to_string(trials)},
                                   {7, "input = " + input},
                                   {8, "target = \"" + target + "\""},
                                   {10, "width = " + std::to_string(width)},
                                   {11, "activation = " + activation}});
        campaign_.cells.resize(1);
        return Store::open_for_writing(path(), campaign_);
    }
    void know(const std::vector<double>& risks, double allowance = 0) {
        const optimum::Problem problem = optimum::problem_of(campaign_.cells[0]);
        std::vector<StoredDocument> documents;
        for (std::size_t width = 0; width < risks.size(); ++width) {
            optimum::Optimum one;
            one.width = static_cast<std::int64_t>(width);
            one.risk = risks[width];
            one.allowance = allowance;
            one.lower_bound = width == 0 ? risks[0] : risks[width] / 2;
            documents.push_back({document_kind::optimum, problem.id, one.width, problem.description, optimum::to_json(one).dump(), "", ""});
        }
        write_documents(path(), documents);
    }
    /// A converged trial at `risk`, with a gradient that Proposition 2.10 allows there.
    static TrialRecord ended(double risk, std::int32_t inactive = 0) {
        TrialRecord record;
        record.final_risk = record.best_risk = record.tail_minimum = record.tail_mean = risk;
        record.inactive_initial = record.inactive_final = inactive;
        record.verdict = std::isfinite(risk) ? Verdict::Converged : Verdict::Diverged;
        record.parameter_norm = 1;
        return record;
    }
    const std::string unit = "{ law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }";
    Campaign campaign_;
};

}  // namespace limrisk::testing
