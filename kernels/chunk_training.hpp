// A chunk of trials on the CPU: groups that train from check to check side by side. Replicas that have ended leave their lanes at a check;
// where that frees enough, those that still run move together into fewer lanes. No bit depends on the lane a replica is in.
#pragma once
#include "group_training.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Calls body(first, count, room) for the groups of `trials` replicas in their order: room for how many, and how many come.
template <class Real, class Body>
void for_groups(const Cell& cell, std::int64_t trials, Body body) {
    for (std::int64_t first = 0; first < trials;) {
        const int room = group_replicas<Real>(cell, trials - first);
        const int count = static_cast<int>(trials - first < room ? trials - first : room);
        body(first, count, room);
        first += count;
    }
}

/// Lanes that the groups of so many replicas have, in replicas: what a step costs is proportional to it.
template <class Real>
std::int64_t room_of(const Cell& cell, std::int64_t trials) {
    std::int64_t sum = 0;
    for_groups<Real>(cell, trials, [&](std::int64_t, int, int room) { sum += room; });
    return sum;
}

/// Bytes of the groups of a cell.
template <class Real>
class GroupBytes {
public:
    /// Of groups of up to `trials` replicas.
    GroupBytes(const Cell& cell, std::int64_t trials) : smallest_(group_replicas<Real>(cell, 1)) {
        int k = 0;
        for (int room = smallest_; room <= group_replicas<Real>(cell, trials); room *= 2)
            bytes_[k++] = static_cast<std::int64_t>((GroupTraining<Real>(cell, room, nullptr).bytes() + 63) / 64 * 64);
    }
    std::int64_t of(int room) const {
        int k = 0;
        while (smallest_ << k < room) ++k;
        return bytes_[k];
    }

private:
    int smallest_;
    std::int64_t bytes_[8];  ///< of rooms smallest_ * 2^k
};

/// Trials of the next chunk where `left` wait: some groups, as many as fit into 32 MiB, at least one.
template <class Real>
std::int64_t chunk_trials(const Cell& cell, std::int64_t left) {
    constexpr std::int64_t most_groups = 16, most_bytes = 1 << 25;
    const int room = group_replicas<Real>(cell, left);
    std::int64_t groups = most_bytes / GroupBytes<Real>(cell, left).of(room);
    groups = groups < 1 ? 1 : groups > most_groups ? most_groups : groups;
    return left < groups * room ? left : groups * room;
}

template <class Real>
class ChunkTraining {
public:
    /// Lays out the memory for chunk_trials(); with a null arena only `bytes()` is meaningful.
    ChunkTraining(const Cell& cell, std::int64_t trials, char* memory)
        : cell_(cell), arena_(memory), trials_(trials), bytes_(cell, trials) {
        std::int64_t most_groups = 0, most_bytes = 0;
        for (std::int64_t running = 1; running <= trials; ++running) {
            std::int64_t groups = 0, sum = 0;
            for_groups<Real>(cell, running, [&](std::int64_t, int, int room) { ++groups, sum += bytes_.of(room); });
            most_groups = groups > most_groups ? groups : most_groups;
            most_bytes = sum > most_bytes ? sum : most_bytes;
        }
        groups_ = arena_.take<Group*>(most_groups);
        group_objects_ = arena_.take<char>(most_groups * object_bytes);
        group_memory_ = arena_.take<char>(most_bytes);
        places_ = arena_.take<std::int64_t>(trials);
        books_ = arena_.take<Replica>(trials);
        numbers_ = arena_.take<Real>(trials * Group(cell, group_replicas<Real>(cell, 1), nullptr).moved_numbers());
    }
    std::size_t bytes() const { return arena_.used(); }

    /// Runs all steps. False if the task was given up.
    template <class Record, class Check>
    bool run(const ChunkTask<Record, Check>& task) {
        // Snapshots see replicas that have ended, too: those that diverged.
        const bool may_move = task.snapshot_count == 0;
        for_groups<Real>(cell_, trials_, [&](std::int64_t first, int count, int room) { add_group(room).begin(task, first, count); });
        bool moved = false;
        std::int64_t running = trials_;
        for (std::int64_t index = 0; running > 0 && index <= cell_.checks; ++index) {
            for (std::int64_t g = 0; g < group_count_; ++g)
                if ((groups_[g]->running() > 0 || !may_move) && !groups_[g]->advance_to(task, index)) return false;
            if (!may_move || index == cell_.checks) continue;
            running = 0;
            for (std::int64_t g = 0; g < group_count_; ++g) {
                if (!groups_[g]->retire(task)) return false;
                running += groups_[g]->running();
            }
            if (running > 0 && is_worth_moving(running, check_step(cell_, index))) {
                save();
                regroup(task, check_step(cell_, index));
                moved = true;
            }
        }
        if (!moved) {
            for (std::int64_t g = 0; g < group_count_; ++g) groups_[g]->finish(task);
            return true;
        }
        save();
        for (std::int64_t place = 0; place < trials_; ++place) places_[place] = place;
        for_groups<Real>(cell_, trials_, [&](std::int64_t first, int count, int room) {
            group_count_ = used_ = 0;
            Group& group = add_group(room);
            group.resume(task, places_ + first, count, books_, numbers_, cell_.steps, Schedule(cell_.optimizer, cell_.learning_rate));
            group.finish(task);
        });
        return true;
    }

private:
    using Group = GroupTraining<Real>;
    static constexpr std::int64_t object_bytes = (sizeof(Group) + 63) / 64 * 64;

    Group& add_group(int room) {
        Group* group = new (group_objects_ + group_count_ * object_bytes) Group(cell_, room, group_memory_ + used_);
        used_ += bytes_.of(room);
        groups_[group_count_++] = group;
        return *group;
    }

    /// Moving a replica costs about as much as some of its steps.
    bool is_worth_moving(std::int64_t running, std::int64_t step) const {
        constexpr std::int64_t steps_of_a_move = 4;
        std::int64_t room = 0;
        for (std::int64_t g = 0; g < group_count_; ++g) room += groups_[g]->room();
        return (room - room_of<Real>(cell_, running)) * (cell_.steps - step) >= steps_of_a_move * room;
    }

    void save() {
        for (std::int64_t g = 0; g < group_count_; ++g)
            for (int r = 0; r < groups_[g]->count(); ++r) groups_[g]->save(r, books_, numbers_);
    }

    /// Groups of those saved replicas that still run.
    template <class Record, class Check>
    void regroup(const ChunkTask<Record, Check>& task, std::int64_t step) {
        std::int64_t g = 0;
        while (groups_[g]->running() == 0) ++g;  // what has ended was not led to this step
        const Schedule schedule = groups_[g]->schedule();
        std::int64_t running = 0;
        for (std::int64_t place = 0; place < trials_; ++place)
            if (books_[place].running()) places_[running++] = place;
        group_count_ = used_ = 0;
        for_groups<Real>(cell_, running, [&](std::int64_t first, int count, int room) {
            add_group(room).resume(task, places_ + first, count, books_, numbers_, step, schedule);
        });
    }

    const Cell& cell_;
    Arena arena_;
    std::int64_t trials_;
    GroupBytes<Real> bytes_;
    std::int64_t group_count_ = 0, used_ = 0;  ///< groups; bytes of their memory that they have
    Group** groups_;                           ///< [group_count_]
    char *group_objects_, *group_memory_;      ///< theirs
    std::int64_t* places_;                     ///< [trials] scratch
    // As saved last; of a replica in a group, what the group has counts.
    Replica* books_;  ///< [trials]
    Real* numbers_;   ///< [trials][moved_numbers]
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
