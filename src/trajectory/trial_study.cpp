// See trial_study.hpp.
#include "trajectory/trial_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "limrisk/error.hpp"
#include "trajectory/trial_workers.hpp"

namespace limrisk {
namespace {

std::vector<TrialStudy::LastNetwork> last_networks(const CellPlan& plan, const StudyRequest& request, const TrialRange& range,
                                                   BlockResult& block) {
    std::vector<TrialStudy::LastNetwork> networks;
    for (std::int64_t k = 0; k < range.count; ++k) {
        const std::int64_t trial = range.first + k;
        const TrialRecord& record = block.records.at(static_cast<std::size_t>(k));
        const std::uint64_t stored = request.fingerprints->at(static_cast<std::size_t>(trial));
        if (record.fingerprint != stored)
            throw Defect(fmt::format("cell {}, trial {}: fingerprint is {:#018x} in the trial trained again, {:#018x} in the store",
                                     plan.config().index, trial, record.fingerprint, stored));
        networks.emplace_back();
        if (record.verdict == Verdict::Diverged) continue;
        auto& state = block.states.at(static_cast<std::size_t>(k));
        networks.back() = TrialStudy::End{std::move(state.parameters), std::move(state.first_state), record.last_step};
    }
    return networks;
}

}  // namespace

bool study_trials(const CellPlan& plan, const TrialStudy& study, const StudyRequest& request, Backend& backend) {
    std::mutex mutex;
    std::vector<std::pair<TrialRange, std::string>> finished;  // until the calling thread takes them
    TrialWorkers crew;
    const TrialStudy::Answer answer = study.answer(plan);
    const auto work = [&](std::int64_t piece, int worker, WorkStatus& status) {
        const TrialRange& range = request.ranges[static_cast<std::size_t>(piece)];
        std::optional<BlockResult> block = backend.run({&plan, range.first, range.count, worker}, status, {.states = true});
        if (!block) return;
        const auto networks = last_networks(plan, request, range, *block);
        block.reset();
        std::string document = answer(range.first, networks, [&] { return crew.stopped(); });
        if (crew.stopped()) return;
        const std::lock_guard lock(mutex);
        finished.emplace_back(range, std::move(document));
    };
    const auto on_watch = [&](double replica_steps) {
        std::vector<std::pair<TrialRange, std::string>> taken;
        {
            const std::lock_guard lock(mutex);
            taken.swap(finished);
        }
        for (auto& [range, document] : taken) request.on_done(range, std::move(document));
        request.on_progress(replica_steps);
    };
    const auto pieces = static_cast<std::int64_t>(request.ranges.size());
    const int workers = static_cast<int>(std::min<std::int64_t>(backend.concurrency(), pieces));
    return crew.run(workers, pieces, work, request.stop_requests, on_watch);
}

}  // namespace limrisk
