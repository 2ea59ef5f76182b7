// Learning rates and bias corrections of consecutive steps: docs/numerics.md section 9. The same for every replica.
#pragma once
#include "optimizer.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Walks through the steps in order; decay powers are running products in double.
class Schedule {
public:
    Schedule(const Optimizer& optimizer, const LearningRate& rate) : optimizer_(optimizer), rate_(rate) {}

    static constexpr int slice = warp_lanes;

    /// Scalars of the next `count` <= slice steps.
    void next(StepScalars* scalars, int count) {
        Pack<double> rates = splat_pack<double>(rate_.initial);
        if (rate_.power != 0) {
            for (int i = 0; i < warp_lanes; ++i) rates.set_lane(i, static_cast<double>(step_ + 1 + i));
            for_parts<double>([&](int p) {
                rates.part[p] = splat<VecDouble>(rate_.initial) * exp(-(splat<VecDouble>(rate_.power) * log(rates.part[p])));
            });
        }
        for (int i = 0; i < count; ++i) {
            alpha_power_ *= optimizer_.alpha;
            beta_power_ *= optimizer_.beta;
            scalars[i].learning_rate = rates.lane(i);
            scalars[i].first_correction = corrected(traits_of(optimizer_.kind).first_moment) ? 1 / (1 - alpha_power_) : 1;
            scalars[i].second_correction = corrected(traits_of(optimizer_.kind).second_moment) ? 1 / (1 - beta_power_) : 1;
        }
        step_ += count;
    }

private:
    bool corrected(BiasCorrection moment) const {
        return moment == BiasCorrection::Always || (moment == BiasCorrection::Optional && optimizer_.bias_correction);
    }

    Optimizer optimizer_;
    LearningRate rate_;
    std::int64_t step_ = 0;
    double alpha_power_ = 1, beta_power_ = 1;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
