// Workers take groups of trials until none is left. What they find lies in tables by step and trial, so its order is nobody's business.
#include "trajectory/compute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>

#include "limrisk/error.hpp"
#include "optimum/activation.hpp"
#include "optimum/true_risk.hpp"
#include "trajectory/series.hpp"
#include "trajectory/theory_check.hpp"
#include "trajectory/trial_workers.hpp"

namespace limrisk {
namespace {

// What bounds the time of the evidence, and how long a request to stop has to wait for it: some seconds of a core at most.
constexpr std::int64_t most_lyapunov_trials = 32;
constexpr double lyapunov_operations = 4e9;            ///< of all points of a cell together
constexpr double least_squares_operations = 1e11;      ///< of all trials of a cell together
constexpr double least_squares_operations_once = 4e9;  ///< of one trial

/// How many of the first trials get a least-squares gap, so that it takes a bounded time.
std::int64_t least_squares_trials(const optimum::TrueRisk& risk, const CellConfig& cell, std::int64_t trials) {
    const double columns = static_cast<double>(cell.width + 1 + (cell.skip ? cell.input.dimension : 0));
    const optimum::Network zero(0, cell.input.dimension);
    double rows = static_cast<double>(risk.nodes(zero).count());
    // Exact risks have 8 nodes more for each kink, of which a neuron has at most two; what is no polynomial between kinks halves the panels
    // a few times.
    if (cell.has_exact_risk()) rows = kernels::is_piecewise_polynomial(cell.activation.kind) ? rows + 16 * columns : 8 * rows;
    const double operations = 4 * rows * columns * columns;
    if (operations > least_squares_operations_once) return 0;
    return static_cast<std::int64_t>(std::min(static_cast<double>(trials), least_squares_operations / operations));
}

class Computation {
public:
    Computation(const CellConfig& cell, const TrajectoryRequest& request, Backend& backend)
        : config_(cell),
          request_(request),
          backend_(backend),
          plan_(cell),
          target_(target_moments(plan_.cell().check_nodes, cell.input.dimension, cell.loss)),
          looks_at_squares_(cell.has_squared_loss()),
          true_risk_(optimum::problem_of(cell)),
          parameters_(static_cast<std::size_t>(cell.parameter_count())) {
        const auto values = request.steps.size() * static_cast<std::size_t>(request.trials);
        for (std::vector<double>* table : {&risk_, &gradient_norm_, &parameter_norm_, &distance_, &inactive_}) table->resize(values);
        trained_.resize(values);
        const double tolerance = check_tolerance(plan_.cell().check_nodes.count, static_cast<std::int64_t>(parameters_));
        lyapunov_ = {"Lyapunov identity", 0, 0, tolerance};
        bound_ = {"risk bound", 0, 0, tolerance};
        // A constant target has no risk of the best constant to compare with.
        const bool varies = true_risk_.variance() > 1e-28 * target_.largest * target_.largest;
        gap_trials_ = varies && looks_at_squares_ && cell.trains_outer_layer() ? least_squares_trials(true_risk_, cell, request.trials) : 0;
        const double points = static_cast<double>(request.steps.size()),
                     point = static_cast<double>(plan_.cell().check_nodes.count) * static_cast<double>(parameters_),
                     affordable = std::max(1.0, lyapunov_operations / point);
        lyapunov_trials_ = std::clamp(static_cast<std::int64_t>(affordable / points), std::int64_t{1}, most_lyapunov_trials);
        lyapunov_stride_ = static_cast<std::size_t>(std::ceil(std::max(1.0, points / affordable)));
        const auto bytes_of_group = [&] {
            return 8 * static_cast<double>(parameters_) * static_cast<double>(group_) * static_cast<double>(request.steps.size());
        };
        const auto too_large = [&] { return bytes_of_group() > request.snapshot_bytes || group_ * backend.concurrency() > request.trials; };
        while (group_ > 1 && too_large()) group_ /= 2;
        const double groups_in_memory = request.snapshot_bytes / bytes_of_group();
        workers_ = static_cast<int>(std::clamp(groups_in_memory, 1.0, static_cast<double>(backend.concurrency())));
        workers_ = static_cast<int>(std::min<std::int64_t>(workers_, (request.trials + group_ - 1) / group_));
        const double fitting = static_cast<double>(request.steps.size()) * groups_in_memory / workers_;
        steps_per_pass_ = static_cast<std::size_t>(std::clamp(fitting, 1.0, static_cast<double>(request.steps.size())));
    }

    std::optional<CellTrajectory> run() {
        const double passes = std::ceil(static_cast<double>(request_.steps.size()) / static_cast<double>(steps_per_pass_));
        const double all = passes * static_cast<double>(request_.trials) * static_cast<double>(config_.steps);
        const auto work = [this](std::int64_t group, int worker, WorkStatus& status) {
            const std::int64_t first = group * group_;
            run_group({&plan_, first, std::min(group_, request_.trials - first), worker}, status);
        };
        const auto on_watch = [&](double steps) {
            if (request_.on_progress) request_.on_progress(steps, steps / all);
        };
        if (!crew_.run(workers_, (request_.trials + group_ - 1) / group_, work, request_.stop_requests, on_watch)) return std::nullopt;
        require_theory();
        return result();
    }

private:
    std::size_t place(std::size_t step, std::int64_t trial) const {
        return step * static_cast<std::size_t>(request_.trials) + static_cast<std::size_t>(trial);
    }

    /// One pass over the trials for as many steps as fit into memory at once.
    void run_group(const WorkItem& item, WorkStatus& status) {
        for (std::size_t from = 0; from < request_.steps.size(); from += steps_per_pass_) {
            const std::size_t to = std::min(from + steps_per_pass_, request_.steps.size());
            const std::vector<std::int64_t> steps(request_.steps.begin() + static_cast<std::ptrdiff_t>(from),
                                                  request_.steps.begin() + static_cast<std::ptrdiff_t>(to));
            BlockOptions options;
            options.states = true;
            options.snapshot_steps = &steps;
            const std::optional<BlockResult> block = backend_.run(item, status, options);
            if (!block) return;
            for (std::int64_t k = 0; k < item.count && !crew_.stopped(); ++k) {
                const TrialRecord& record = block->records.at(static_cast<std::size_t>(k));
                if (from == 0) end_of_trial(item.first_trial + k, record, block->states.at(static_cast<std::size_t>(k)).parameters);
                points_of_trial(item.first_trial + k, k, *block, from, to);
            }
        }
    }

    void end_of_trial(std::int64_t trial, const TrialRecord& record, const std::vector<double>& parameters) {
        const std::string difference = request_.contradiction(trial, record);
        if (!difference.empty()) throw Defect(fmt::format("cell {}, trial {}: {}", config_.index, trial, difference));
        {
            const std::lock_guard lock(mutex_);
            last_step_ = std::max(last_step_, record.verdict == Verdict::Diverged ? config_.steps : record.last_step);
        }
        if (record.verdict != Verdict::Converged) return;
        double gap = -1;
        if (trial < gap_trials_)
            gap = true_risk_.least_squares_gap({config_.width, config_.input.dimension, parameters, config_.skip}) / true_risk_.variance();
        const std::lock_guard lock(mutex_);
        ++converged_;
        if (gap >= 0) gaps_.push_back(gap);
    }

    /// Trial `trial`, which is number k of the block, at the steps [from, to) of the request.
    void points_of_trial(std::int64_t trial, std::int64_t k, const BlockResult& block, std::size_t from, std::size_t to) {
        const TrialRecord& record = block.records[static_cast<std::size_t>(k)];
        const std::vector<double>& last = block.states[static_cast<std::size_t>(k)].parameters;
        const bool diverged = record.verdict == Verdict::Diverged;
        TrajectoryCheck lyapunov{}, bound{};  // of this trial
        for (std::size_t s = from; s < to && !crew_.stopped(); ++s) {
            const std::size_t number = static_cast<std::size_t>(k) * (to - from) + s - from, at = place(s, trial);
            trained_[at] = request_.steps[s] <= record.last_step || diverged;
            if (trained_[at] == 0) continue;
            const CheckRecord& seen = block.snapshot_checks.at(number);
            const double* theta = block.snapshot_parameters.data() + number * parameters_;
            // As in the record: from the step of its divergence on, a trial has no risk and no gradient; its parameters stay.
            const bool lost = diverged && seen.step >= record.nonfinite_step;
            risk_[at] = lost ? HUGE_VAL : seen.risk;
            gradient_norm_[at] = lost ? HUGE_VAL : seen.gradient_norm;
            parameter_norm_[at] = seen.parameter_norm;
            inactive_[at] = seen.inactive;
            distance_[at] = diverged ? HUGE_VAL : distance(theta, last.data());
            const std::optional<double> excess = risk_bound_excess(config_.activation, config_.width, target_, seen, config_.skip);
            if (excess && config_.trains_outer_layer()) add_point(bound, *excess);
            if (!excess || trial >= lyapunov_trials_ || s % lyapunov_stride_ != 0 || !has_lyapunov_identity()) continue;
            const optimum::Network network(config_.width, config_.input.dimension, {theta, theta + parameters_});
            const LyapunovTerms terms = lyapunov_terms(config_.activation, network, plan_.cell().check_nodes, target_.mean);
            if (terms.size <= std::numeric_limits<double>::max())
                add_point(lyapunov, terms.size > 0 ? std::fabs(terms.left - terms.right) / terms.size : 0);
        }
        const std::lock_guard lock(mutex_);
        add(lyapunov_, lyapunov);
        add(bound_, bound);
    }

    bool has_lyapunov_identity() const { return looks_at_squares_ && is_homogeneous(config_.activation) && !config_.skip; }

    static void add(TrajectoryCheck& sum, const TrajectoryCheck& part) {
        sum.points += part.points;
        sum.largest_error = std::max(sum.largest_error, part.largest_error);
    }

    double distance(const double* a, const double* b) const {
        double sum = 0;
        for (std::size_t j = 0; j < parameters_; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
        return std::sqrt(sum);
    }

    void require_theory() const {
        for (const TrajectoryCheck* check : {&lyapunov_, &bound_}) {
            const std::string wrong = violation(*check);
            if (!wrong.empty()) throw Defect(fmt::format("cell {}: {}", config_.index, wrong));
        }
    }

    CellTrajectory result() {
        CellTrajectory trajectory;
        trajectory.cell_id = config_.id;
        trajectory.trials = request_.trials;
        // Of each step those trials that had not ended before; steps that none was trained to are left out.
        std::vector<std::int64_t> trained;
        for (std::size_t s = 0; s < request_.steps.size(); ++s) {
            const auto first = trained_.begin() + static_cast<std::ptrdiff_t>(place(s, 0));
            const auto count = std::count(first, first + request_.trials, std::uint8_t{1});
            if (count == 0) break;
            trained.push_back(count);
        }
        trajectory.steps.assign(request_.steps.begin(), request_.steps.begin() + static_cast<std::ptrdiff_t>(trained.size()));
        const auto add_series = [&](const char* name, const std::vector<double>& values) {
            std::vector<double> of_trained;
            for (std::size_t k = 0; k < place(trained.size(), 0); ++k)
                if (trained_[k] != 0) of_trained.push_back(values[k]);
            trajectory.series.push_back(trajectory_series(name, std::move(of_trained), trained));
        };
        if (config_.stop.any()) {
            trajectory.trained.assign(trained.begin(), trained.end());
            trajectory.last_step = last_step_;
        }
        add_series("risk", risk_);
        add_series("gradient_norm", gradient_norm_);
        add_series("parameter_norm", parameter_norm_);
        add_series("distance", distance_);
        add_series("inactive", inactive_);
        if (has_lyapunov_identity()) trajectory.checks.push_back(lyapunov_);
        if (config_.trains_outer_layer()) trajectory.checks.push_back(bound_);
        trajectory.converged = converged_;
        std::sort(gaps_.begin(), gaps_.end());
        trajectory.least_squares_gaps = std::move(gaps_);
        return trajectory;
    }

    const CellConfig& config_;
    const TrajectoryRequest& request_;
    Backend& backend_;
    const CellPlan plan_;
    const TargetMoments target_;
    const bool looks_at_squares_;  ///< else neither the Lyapunov identity nor least squares have a meaning
    const optimum::TrueRisk true_risk_;
    const std::size_t parameters_;
    std::int64_t group_ = cpu_group_trials, gap_trials_ = 0, lyapunov_trials_ = 0;
    std::size_t lyapunov_stride_ = 1;  ///< every so manieth step
    int workers_ = 1;
    std::size_t steps_per_pass_ = 1;

    TrialWorkers crew_;
    std::vector<double> risk_, gradient_norm_, parameter_norm_, distance_, inactive_;  ///< [steps][trials]
    std::vector<std::uint8_t> trained_;                                                ///< [steps][trials] 1 up to the end of the trial

    std::mutex mutex_;  ///< of all below
    TrajectoryCheck lyapunov_, bound_;
    std::int64_t converged_ = 0, last_step_ = 0;
    std::vector<double> gaps_;
};

}  // namespace

std::optional<CellTrajectory> compute_trajectory(const CellConfig& cell, const TrajectoryRequest& request, Backend& backend) {
    return std::make_unique<Computation>(cell, request, backend)->run();
}

}  // namespace limrisk
