"""Optimizers of Keras 2.10 and before whose step is computed otherwise in Keras 3.

Used only where Keras 3 is installed: Keras 2 still has the old ones as `keras.optimizers.legacy`.
"""

from __future__ import annotations

from typing import Any

from safeload.runtime import detect, keras_module

__all__ = ["LegacyAdagrad", "LegacyNadam", "LegacyRMSprop"]

keras: Any = keras_module(detect())
ops: Any = getattr(keras, "ops", None)


@keras.saving.register_keras_serializable(package="safeload")
class LegacyRMSprop(keras.optimizers.RMSprop):
    """RMSprop that divides by `sqrt(velocity) + epsilon`; Keras 2.11 on divides by `sqrt(velocity + epsilon)`.

    OptimizerV2's with a momentum was an operation with epsilon inside: for that Keras 3's own is the same.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        velocity = self._velocities[index]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * ops.square(gradient))
        denominator = velocity
        if self.centered:
            average = self._average_gradients[index]
            self.assign(average, self.rho * average + (1 - self.rho) * gradient)
            denominator = velocity - ops.square(average)
        self.assign_sub(variable, rate * gradient / (ops.sqrt(denominator) + self.epsilon))


@keras.saving.register_keras_serializable(package="safeload")
class LegacyAdagrad(keras.optimizers.Adagrad):
    """Adagrad that divides by `sqrt(accumulator) + epsilon`; Keras 2.11 on has epsilon inside the square root."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        accumulator = self._accumulators[self._get_variable_index(variable)]
        self.assign_add(accumulator, ops.square(gradient))
        self.assign_sub(variable, rate * gradient / (ops.sqrt(accumulator) + self.epsilon))


@keras.saving.register_keras_serializable(package="safeload")
class LegacyNadam(keras.optimizers.Nadam):
    """Nadam whose momentum warms up with `0.96 ** (schedule_decay * step)`; Keras 2.11 on has no `schedule_decay`."""

    def __init__(self, *arguments: Any, schedule_decay: float = 0.004, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.schedule_decay = schedule_decay

    def _warmed(self, steps: int, dtype: Any) -> Any:
        """The momentum of the step that lies so many after the ones that were done."""
        step = ops.cast(self.iterations + steps, dtype)
        return self.beta_1 * (1.0 - 0.5 * ops.power(ops.cast(0.96, dtype), self.schedule_decay * step))

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        dtype = self._u_product.dtype
        self.assign(self._u_product, self._u_product * self._warmed(1, dtype))
        # Past Nadam's own method, which would multiply the product once more.
        super(keras.optimizers.Nadam, self)._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype, index = variable.dtype, self._get_variable_index(variable)
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        now, following = self._warmed(1, dtype), self._warmed(2, dtype)
        product = ops.cast(self._u_product, dtype)
        momentum, velocity = self._momentums[index], self._velocities[index]
        self.assign_add(momentum, (gradient - momentum) * (1 - self.beta_1))
        self.assign_add(velocity, (ops.square(gradient) - velocity) * (1 - self.beta_2))
        ahead = following * momentum / (1 - product * following) + (1 - now) * gradient / (1 - product)
        power = ops.power(ops.cast(self.beta_2, dtype), ops.cast(self.iterations + 1, dtype))
        self.assign_sub(variable, rate * ahead / (ops.sqrt(velocity / (1 - power)) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "schedule_decay": self.schedule_decay}
