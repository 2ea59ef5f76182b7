// A chunk of trials on the CPU: groups that train from check to check side by side. Replicas that have ended leave their lanes at a check;
// where that frees enough, those that still run move together into fewer lanes. No bit depends on the lane a replica is in, nor on where
// the steps between two checks are cut, so the replicas can also be saved there, and go on in another process.
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
        moved_numbers_ = Group(cell, group_replicas<Real>(cell, 1), nullptr).moved_numbers();
        numbers_ = arena_.take<Real>(trials * moved_numbers_);
    }
    std::size_t bytes() const { return arena_.used(); }
    /// Bytes of a checkpoint; they mean the same to every instruction set.
    std::int64_t checkpoint_bytes() const {
        return static_cast<std::int64_t>(sizeof(Saved)) + trials_ * (static_cast<std::int64_t>(sizeof(Replica)) + bytes_of_numbers());
    }
    /// Whether so many bytes can be a checkpoint of this chunk. Whoever kept them knows that they are as they were written.
    bool fits(const char* checkpoint, std::int64_t bytes) const {
        if (bytes != checkpoint_bytes()) return false;
        const Saved saved = begin_of(checkpoint);
        return saved.index >= 0 && saved.index <= cell_.checks && saved.step <= check_step(cell_, saved.index) &&
               saved.step >= (saved.index == 0 ? 0 : check_step(cell_, saved.index - 1));
    }

    /// Runs all steps, or those that a checkpoint leaves. False if the task was given up.
    template <class Record, class Check>
    bool run(const ChunkTask<Record, Check>& task) {
        // Snapshots see replicas that have ended, too: those that diverged.
        const bool may_move = task.snapshot_count == 0;
        bool moved = task.checkpoint != nullptr;
        std::int64_t running = trials_, index = 0, step = 0;
        if (moved)
            running = restore(task, index, step);
        else
            for_groups<Real>(cell_, trials_, [&](std::int64_t first, int count, int room) { add_group(room).begin(task, first, count); });
        for (; running > 0 && index <= cell_.checks; ++index) {
            if (task.next_round && !lead_near(task, index, step)) return false;
            for (std::int64_t g = 0; g < group_count_; ++g)
                if ((groups_[g]->running() > 0 || !may_move) && !groups_[g]->advance_to(task, index)) return false;
            step = check_step(cell_, index);
            if (!may_move || index == cell_.checks) continue;
            running = 0;
            for (std::int64_t g = 0; g < group_count_; ++g) {
                if (!groups_[g]->retire(task)) return false;
                running += groups_[g]->running();
            }
            if (running > 0 && is_worth_moving(running, step)) {
                save();
                const Schedule schedule = present_schedule();
                regroup(task, step, schedule, [&](std::int64_t place) { return books_[place].running(); });
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

    /// That of a group that is led on: what has ended was not.
    Schedule present_schedule() const {
        for (std::int64_t g = 0; g < group_count_; ++g)
            if (groups_[g]->is_alive()) return groups_[g]->schedule();
        return Schedule(cell_.optimizer, cell_.learning_rate);
    }

    /// Groups of the chosen ones of the saved replicas, which have all done `step` steps. Returns their number.
    template <class Record, class Check, class Chosen>
    std::int64_t regroup(const ChunkTask<Record, Check>& task, std::int64_t step, const Schedule& schedule, Chosen chosen) {
        std::int64_t running = 0;
        for (std::int64_t place = 0; place < trials_; ++place)
            if (chosen(place)) places_[running++] = place;
        group_count_ = used_ = 0;
        for_groups<Real>(cell_, running, [&](std::int64_t first, int count, int room) {
            add_group(room).resume(task, places_ + first, count, books_, numbers_, step, schedule);
        });
        return running;
    }

    /// Leads all groups from `step`, in rounds that end at the same step, near check number `index`. At the beginning of each round a
    /// checkpoint can be written. False if the task was given up.
    template <class Record, class Check>
    bool lead_near(const ChunkTask<Record, Check>& task, std::int64_t index, std::int64_t step) {
        const std::int64_t to = check_step(cell_, index);
        while (true) {
            bool write = false;
            const std::int64_t round = task.next_round(task.context, asked_at_ < 0 ? 0 : step - asked_at_, write);
            asked_at_ = step;
            if (write) {
                write_checkpoint(task, index, step);
                if (!task.advance(task.context, 0)) return false;
            }
            if (to - step <= round) return true;
            step += round;
            for (std::int64_t g = 0; g < group_count_; ++g)
                if (groups_[g]->running() > 0 && !groups_[g]->train(step, task.advance, task.context)) return false;
        }
    }

    /// What a checkpoint begins with: books and numbers of all replicas follow.
    struct Saved {
        std::int64_t index, step;  ///< the next check, steps done
        Schedule schedule;
    };
    std::int64_t bytes_of_numbers() const { return moved_numbers_ * static_cast<std::int64_t>(sizeof(Real)); }

    template <class Record, class Check>
    void write_checkpoint(const ChunkTask<Record, Check>& task, std::int64_t index, std::int64_t step) {
        save();
        const Saved saved{index, step, present_schedule()};
        task.write(task.context, &saved, sizeof(Saved));
        task.write(task.context, books_, static_cast<std::size_t>(trials_) * sizeof(Replica));
        task.write(task.context, numbers_, static_cast<std::size_t>(trials_ * bytes_of_numbers()));
    }

    Saved begin_of(const char* checkpoint) const {
        Saved saved{0, 0, Schedule(cell_.optimizer, cell_.learning_rate)};
        __builtin_memcpy(static_cast<void*>(&saved), checkpoint, sizeof(Saved));
        return saved;
    }

    /// Groups as they were when the checkpoint was written, in lanes of their own. Returns the number of replicas that were led on after
    /// the last check: those that diverged since have not seen the next one.
    template <class Record, class Check>
    std::int64_t restore(const ChunkTask<Record, Check>& task, std::int64_t& index, std::int64_t& step) {
        const Saved saved = begin_of(task.checkpoint);
        const char* const books = task.checkpoint + sizeof(Saved);
        const std::size_t bytes_of_books = static_cast<std::size_t>(trials_) * sizeof(Replica);
        __builtin_memcpy(static_cast<void*>(books_), books, bytes_of_books);
        __builtin_memcpy(numbers_, books + bytes_of_books, static_cast<std::size_t>(trials_ * bytes_of_numbers()));
        index = saved.index;
        step = saved.step;
        const std::int64_t seen = index == 0 ? -1 : check_step(cell_, index - 1);
        return regroup(task, step, saved.schedule, [&](std::int64_t place) {
            return books_[place].running() || (books_[place].diverged && books_[place].nonfinite_step > seen);
        });
    }

    const Cell& cell_;
    Arena arena_;
    std::int64_t trials_;
    GroupBytes<Real> bytes_;
    std::int64_t asked_at_ = -1;               ///< step at which next_round() was asked; -1: not yet
    std::int64_t moved_numbers_;               ///< of a replica
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
